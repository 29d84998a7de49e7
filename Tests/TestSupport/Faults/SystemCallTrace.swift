import Glibc

/// The system calls of a program in their order: strace(1), with the paths of descriptors.
package struct SystemCallTrace: Sendable {
    private let options: [String]
    private let scratch: ScratchDirectory

    /// - Parameter calls: what is traced, in the words of strace's `-e trace=`.
    package init(_ calls: String) throws {
        scratch = try ScratchDirectory()
        options = ["-f", "-y", "-o", scratch.path("trace"), "-e", "trace=\(calls)", "-e", "signal=none"]
    }

    /// A command line that runs a program under the trace.
    package func wrap(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        (Command.find("strace") ?? "strace", ["-qq"] + options + [program] + arguments)
    }

    /// Traces a program that runs; the trace goes on until the command ends.
    package func attach(to pid: Int32) async throws -> RunningCommand {
        let command = try RunningCommand(Command.find("strace") ?? "strace", options + ["-p", "\(pid)"])
        try await command.waitForError("attached")
        return command
    }

    /// A line for each call; whole once the command, or the tracer, has ended.
    package var lines: [String] { ((try? scratch.read("trace")) ?? "").split(separator: "\n").map(String.init) }

    /// Whether a directory was synced behind the first call that has a text in it, and before the next one with another.
    package func hasSynced(_ directory: String, behind first: String, before last: String) -> Bool {
        let between = lines.drop { !$0.contains(first) }.prefix { !$0.contains(last) }
        return between.contains { $0.contains("fsync(") && $0.contains("<\(directory)>") && $0.hasSuffix("= 0") }
    }
}
