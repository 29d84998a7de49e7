import CLinux
import Glibc

/// A command of this machine's shell with a time limit. It has a session of its own and no descriptor of ours but the log.
package struct ShellCommand: Sendable {
    package enum Outcome: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It was still there when its time was up; its process group was killed.
        case timedOut
    }

    private let text: String
    private let directory: String
    private let environment: [String: String]
    private let input: [UInt8]

    /// - Parameters:
    ///   - directory: where it runs.
    ///   - environment: variables beside the inherited ones.
    ///   - input: what it reads from its stdin.
    package init(_ text: String, directory: String, environment: [String: String], input: [UInt8]) {
        self.text = text
        self.directory = directory
        self.environment = environment
        self.input = input
    }

    /// Milliseconds between TERM and KILL.
    private static let grace: Int32 = 2000

    /// Runs it to its end. Blocks its thread.
    /// - Parameters:
    ///   - log: takes its stdout and stderr.
    ///   - timeout: in milliseconds.
    package func run(log: File, timeout: Int32) throws(SystemError) -> Outcome {
        // A file, because a pipe that is not read would block us; nobody else has its descriptor.
        let file = File(adopting: try check("make a file in memory") { clinux_memory_file() }, path: "the input")
        try file.write(input, at: 0)
        let pid = try Spawn.detached(
            executable: "/bin/sh", arguments: ["-c", text], directory: directory, environment: environment, input: file,
            log: log)
        if let status = try wait(pid, timeout) { return Self.outcome(status) }
        kill(-pid, SIGTERM)
        let hasEnded = try wait(pid, Self.grace) != nil
        // Also for what the shell has left of its group.
        kill(-pid, SIGKILL)
        if !hasEnded { _ = try wait(pid, Self.grace) }
        return .timedOut
    }

    /// The status as of waitpid(2); nil when the time is up.
    private func wait(_ pid: Int32, _ milliseconds: Int32) throws(SystemError) -> Int32? {
        var status: Int32 = 0
        let isOver = try check("wait for a command") { clinux_wait_child(pid, milliseconds, &status) }
        return isOver == 1 ? status : nil
    }

    private static func outcome(_ status: Int32) -> Outcome {
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}
