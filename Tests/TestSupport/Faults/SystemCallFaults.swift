import Glibc
import LinuxSystem

/// System calls that fail on demand: strace(1) with `-e inject=`.
///
/// Calls are counted for each thread of a program by itself.
package struct SystemCallFaults: Sendable {
    package enum Fault: Sendable {
        /// The call fails with an error, such as `EIO`, without being carried out.
        case error(String)
        /// The program is killed when it makes the call.
        case death

        fileprivate var words: String {
            switch self {
            case .error(let name): "error=\(name)"
            case .death: "signal=KILL"
            }
        }
    }

    package let call: String
    package let fault: Fault
    /// Which call fails, from 1; `+` lets all later ones fail, too.
    package let when: String
    private let scratch: ScratchDirectory

    package static func isAvailable() async -> Bool {
        guard let strace = Command.find("strace") else { return false }
        let attempt = try? await Command.run(
            strace, ["-qq", "-o", "/dev/null", "-e", "inject=chdir:error=EIO", "/bin/true"])
        return attempt?.status == 0
    }

    package init(_ call: String, _ fault: Fault, when: String) throws {
        self.call = call
        self.fault = fault
        self.when = when
        scratch = try ScratchDirectory()
    }

    /// A command line that runs a program with the fault in it.
    package func wrap(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        (Command.find("strace") ?? "strace", options + [program] + arguments)
    }

    /// Puts the fault into a program that runs; it holds until the command ends.
    package func attach(to pid: Int32) async throws -> RunningCommand {
        let command = try RunningCommand(
            Command.find("strace") ?? "strace", options.filter { $0 != "-qq" } + ["-p", "\(pid)"])
        try await command.waitForError("attached")
        return command
    }

    /// Whether the fault has struck; known once the command, or the tracer, has ended.
    package var hasStruck: Bool {
        let trace = (try? scratch.read("trace")) ?? ""
        return trace.contains("(INJECTED)") || trace.contains("killed by SIGKILL")
    }

    private var options: [String] {
        [
            "-f", "-qq", "-o", scratch.path("trace"), "-e", "trace=\(call)", "-e",
            "inject=\(call):\(fault.words):when=\(when)",
        ]
    }
}
