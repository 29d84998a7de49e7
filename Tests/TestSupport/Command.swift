import Glibc
import LinuxSystem

/// What a command left behind when it ended.
package struct CommandResult: Sendable {
    /// The exit code, or 128 + the number of the signal that ended it, as a shell says it.
    package let status: Int32
    package let output: [UInt8]
    package let error: [UInt8]

    package var outputText: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: error, as: UTF8.self) }
}

/// A command that did not end as it had to, with all that it said.
package struct CommandFailure: Error, CustomStringConvertible {
    package let message: String
    package let commandLine: [String]
    package let result: CommandResult

    package var description: String {
        """
        \(message)
        command: \(commandLine.joined(separator: " "))
        status: \(result.status)
        stdout: \(result.outputText)
        stderr: \(result.errorText)
        """
    }
}

/// Programs that a test runs. The waiting is done by threads of their own, never by Swift's cooperative pool.
package enum Command {
    /// Origin: far beyond any step of a test on a busy machine with two cores, far below the patience of a CI.
    package static let defaultTimeout: Duration = .seconds(60)

    /// Runs a program to its end and to the end of its output.
    /// - Parameters:
    ///   - executable: an absolute path; `PATH` is not searched.
    ///   - environment: changes to the inherited environment; nil removes a variable.
    ///   - input: what the program reads from its stdin.
    /// - Throws: `SystemError` when it does not start; `CommandFailure` when it, or something that still holds its
    ///   output, outlives `timeout`. The whole process group is then killed.
    package static func run(
        _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:], input: [UInt8] = [],
        workingDirectory: String? = nil, timeout: Duration = defaultTimeout
    ) async throws -> CommandResult {
        let command = try RunningCommand(
            executable, arguments, environment: environment, hasInput: !input.isEmpty,
            workingDirectory: workingDirectory, timeout: timeout)
        if !input.isEmpty {
            command.write(input)
            command.closeInput()
        }
        return try await command.wait()
    }

    /// As `run`, but any other end than exit code 0 throws `CommandFailure`.
    @discardableResult
    package static func runSuccessfully(
        _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:], input: [UInt8] = [],
        workingDirectory: String? = nil, timeout: Duration = defaultTimeout
    ) async throws -> CommandResult {
        let result = try await run(
            executable, arguments, environment: environment, input: input, workingDirectory: workingDirectory,
            timeout: timeout)
        guard result.status == 0 else {
            throw CommandFailure(message: "failed", commandLine: [executable] + arguments, result: result)
        }
        return result
    }

    /// The absolute path of a program in `PATH` or in the system's directories, nil where there is none.
    package static func find(_ name: String) -> String? {
        let path = (Host.environment("PATH") ?? "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
