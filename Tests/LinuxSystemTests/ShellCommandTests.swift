import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct ShellCommandTests {
    let scratch: ScratchDirectory
    let log: File

    init() throws {
        scratch = try ScratchDirectory()
        log = try File(path: scratch.path("log"), O_RDWR | O_CREAT | O_APPEND)
    }

    private func run(
        _ text: String, input: [UInt8] = [], timeout: Int32 = 30_000
    ) throws -> ShellCommand.Outcome {
        try ShellCommand(text, directory: scratch.path, environment: ["A": "b"], input: input).run(
            log: log, timeout: timeout)
    }

    @Test func itsEndIsTold() throws {
        #expect(try run("true") == .exited(0))
        #expect(try run("exit 7") == .exited(7))
        #expect(try run("kill -USR1 $$") == .killed(signal: SIGUSR1))
        #expect(try run("/nonexistent/x") == .exited(127))
    }

    @Test func itsOutputGoesToTheLog() throws {
        #expect(try run("echo $A in $PWD; echo oops >&2; cat", input: Array("words".utf8)) == .exited(0))
        #expect(try scratch.read("log") == "b in \(scratch.path)\noops\nwords")
    }

    /// More than a pipe holds (64 KiB, pipe(7)).
    @Test func anInputThatNobodyReadsBlocksNothing() throws {
        #expect(try run("true", input: Array(repeating: 0x78, count: 1 << 20)) == .exited(0))
        #expect(try run("wc -c", input: Array(repeating: 0x78, count: 1 << 20)) == .exited(0))
        #expect(try scratch.read("log") == "1048576\n")
    }

    @Test func noDescriptorIsInherited() throws {
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        #expect(try run("for fd in /proc/$$/fd/*; do readlink $fd; done; true") == .exited(0))
        let files = try scratch.read("log").split(separator: "\n").filter { !$0.contains("pipe:") }
        #expect(
            files.allSatisfy { $0.contains("memfd:ecr") || $0 == "\(scratch.path)/log" || $0.contains("/fd") },
            "\(files)")
    }

    @Test(.timeLimit(.minutes(1))) func itsWholeGroupIsKilledWhenItsTimeIsUp() throws {
        let (first, second) = (Processes.uniqueSleep(), Processes.uniqueSleep())
        #expect(try run("trap '' TERM; sleep \(first) & sleep \(second); sleep \(second)", timeout: 500) == .timedOut)
        // The kernel takes its time to end what it has killed.
        while Processes.exist(withArgument: first) || Processes.exist(withArgument: second) { usleep(10_000) }
    }

    @Test func aDirectoryThatIsGoneIsAnError() {
        #expect(throws: SystemError.self) {
            try ShellCommand("true", directory: "/nonexistent", environment: [:], input: []).run(
                log: log, timeout: 1000)
        }
    }
}
