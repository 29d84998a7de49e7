import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct SpawnTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// Runs a shell script detached to its end.
    /// - Returns: its pid and what it wrote to the log.
    private func run(_ script: String, ready: Int32 = -1) throws -> (pid: Int32, log: String) {
        let log = try File(path: scratch.path("log"), O_WRONLY | O_CREAT | O_APPEND)
        let pid = try Spawn.detached(executable: "/bin/sh", arguments: ["-c", script], log: log, ready: ready)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        return (pid, try scratch.read("log"))
    }

    @Test func theChildHasASessionOfItsOwn() throws {
        // Behind the name in brackets: state, parent, process group, session (proc_pid_stat(5)).
        let (pid, log) = try run("read -r line </proc/$$/stat; echo ${line##*) }; echo oops >&2")
        let fields = log.split(separator: " ")
        #expect(fields[2] == "\(pid)" && fields[3] == "\(pid)")
        #expect(log.hasSuffix("oops\n"))
    }

    @Test func noOtherDescriptorIsInherited() throws {
        // Not close-on-exec, as a careless library would leave it.
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let (_, log) = try run("for fd in /proc/$$/fd/*; do echo ${fd##*/} $(readlink $fd); done")
        let lines = log.split(separator: "\n").filter { !$0.contains("pipe:") }
        #expect(lines.first == "0 /dev/null")
        #expect(
            lines.map { $0.prefix { $0 != " " } }.allSatisfy { ["0", "1", "2", "10", "255"].contains($0) }, "\(log)")
    }

    @Test func descriptorThreeIsPassed() throws {
        let ready = try File(path: scratch.path("ready"), O_WRONLY | O_CREAT)
        let (_, log) = try run("echo up >&3; test -e /proc/$$/fd/4 && echo leaked", ready: ready.descriptor)
        #expect(try scratch.read("ready") == "up\n")
        #expect(log == "")
    }

    @Test func theDirectoryTheEnvironmentAndTheInputAreItsOwn() throws {
        let log = try File(path: scratch.path("log"), O_WRONLY | O_CREAT | O_APPEND)
        let input = try File(path: try scratch.write("input", "words"), O_RDONLY)
        let pid = try Spawn.detached(
            executable: "/bin/sh", arguments: ["-c", #"echo "$PWD $HOME ${PATH:+set} $NEW"; cat"#],
            directory: scratch.path, environment: ["HOME": "/elsewhere", "NEW": "a b"], input: input, log: log)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        #expect(try scratch.read("log") == "\(scratch.path) /elsewhere set a b\nwords")
    }

    @Test func signalsAreAsAtLogin() throws {
        let (_, log) = try run(
            "while read -r key value; do case $key in SigBlk:|SigIgn:) echo $value;; esac; done </proc/$$/status")
        let masks = log.split(separator: "\n").compactMap { UInt64($0, radix: 16) }
        // glibc ignores its own two, 32 and 33, in every child of posix_spawn.
        #expect(masks.map { $0 & 0x7FFF_FFFF } == [0, 0], "\(log)")
    }

    @Test func whatCannotStartIsAnError() throws {
        let log = try File(path: scratch.path("log"), O_WRONLY | O_CREAT)
        let missing = #expect(throws: SystemError.self) {
            try Spawn.detached(executable: "/nonexistent", arguments: [], log: log, ready: -1)
        }
        #expect(missing?.code == ENOENT)
        let closed = #expect(throws: SystemError.self) {
            try Spawn.detached(executable: "/bin/true", arguments: [], log: log, ready: 1_000_000)
        }
        #expect(closed?.code == EBADF)
    }
}
