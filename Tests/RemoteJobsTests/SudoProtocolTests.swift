import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import RemoteJobs

/// The job protocol's shell text as the shell of a login user runs it who becomes root by the real sudo.
private struct UserSpool {
    let shell: [String]
    let user: SudoUser
    let spool: String

    init(_ shell: [String], _ user: SudoUser) throws {
        self.shell = shell
        self.user = user
        spool = "\(user.home)/spool it's"
        try FileSystem.makeDirectories(spool)
        try user.own(spool)
    }

    func launch(
        _ commands: String..., password: String?, timeout: Double? = nil, workdir: String? = nil,
        environment: [(name: String, value: String)] = []
    ) -> String {
        JobRequest(
            job: "0001-job", spool: spool, commands: commands, environment: environment, workdir: workdir,
            timeout: timeout, root: RootAccess(password: password)
        ).call("ecr_launch", tools: ["fractional-sleep"])
    }

    func run(_ snippets: String...) async throws -> CommandResult { try await start(snippets).wait() }

    func start(_ snippets: String...) throws -> RunningCommand { try start(snippets) }

    private func start(_ snippets: [String]) throws -> RunningCommand {
        let text = "\(JobProtocol.library)\n" + snippets.map { "{ \($0)\n} </dev/null 2>/dev/null\n" }.joined()
        let words = user.command(shell)
        let command = try RunningCommand(words[0], Array(words.dropFirst()), hasInput: true)
        command.write(Array(text.utf8))
        command.closeInput()
        return command
    }

    func file(_ name: String) throws -> String {
        String(decoding: try FileSystem.read("\(spool)/0001/\(name)"), as: UTF8.self)
    }

    func record() throws -> ExitRecord {
        let line = try file("exit")
        return try #require(ExitRecord(line: line.dropLast()), "\(line)")
    }

    func wait(for name: String) -> String {
        "while [ ! -s \(shellWord("\(spool)/0001/\(name)")) ]; do sleep 0.02; done"
    }

    var place: String { "\(shellWord(spool)) 0001" }
}

@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SudoUser.isAvailable, "making a user with a password needs root, sudo, useradd and chpasswd"))
struct SudoProtocolTests {
    @Test(arguments: Shells.all) func theWholeListOfCommandsRunsAsRoot(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let value = " it's\n$(id) \"x\" \\n "
        let result = try await spool.run(
            spool.launch(
                "id -u; cat; tty; printf '%s|%s|%s' \"$A\" \"$PWD\" \"$ECR_OUT\"",
                "echo >&2 second; id -un; umask; echo made >\"$ECR_OUT/file\"; mkdir \"$ECR_OUT/dir\"; : >\"$ECR_OUT/dir/in\"",
                password: user.password, workdir: "/root", environment: [("A", value)]))
        #expect(result.outputText == "launched\n")
        #expect(
            try spool.file("stdout")
                == "0\nnot a tty\n\(value)|/root|\(spool.spool)/0001/outroot\n0022\n")
        #expect(try spool.file("stderr") == "second\n")
        let record = try spool.record()
        #expect(record.status == 0)
        #expect(record.reason == .exit)
        #expect(record.hasFiles)
        // What root made belongs to the login user, who can read and remove it.
        for name in ["file", "dir", "dir/in"] {
            let owner = try await Command.run("/usr/bin/stat", ["-c", "%U", "\(spool.spool)/0001/out/\(name)"])
            #expect(owner.outputText == "\(user.name)\n")
        }
        #expect(try spool.file("commands").split(separator: "\n").count == 4)
        #expect(result.errorText == "X 0001 \(try spool.file("exit"))")
    }

    @Test(arguments: Shells.all) func thePasswordIsNowhereToBeFound(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let secret = "token-\(Processes.uniqueSleep())"
        let look = #"""
            for f in /proc/[0-9]*/cmdline; do tr '\0' ' ' <$f; echo; done 2>/dev/null >"$ECR_OUT/lines"
            for f in /proc/[0-9]*/fd/*; do [ -f "$f" ] && case $(readlink "$f") in *deleted*) cat "$f" ;; esac; done >"$ECR_OUT/deleted"
            for f in /proc/[0-9]*/environ; do tr '\0' '\n' <$f; done 2>/dev/null >"$ECR_OUT/environ"
            true
            """#
        _ = try await spool.run(spool.launch(look, password: user.password, environment: [("TOKEN", secret)]))
        #expect(try spool.record().status == 0)
        for name in ["lines", "deleted", "environ"] {
            let text = try spool.file("out/\(name)")
            #expect(!text.contains(user.password), "\(name)")
            if name != "environ" { #expect(!text.contains(secret), "\(name)") }
        }
        #expect(try spool.file("out/lines").contains("sudo -S"))
        // The command itself has its variable, as root's own.
        #expect(try spool.file("out/environ").contains("TOKEN=\(secret)"))
        let found = try await Command.run("/usr/bin/grep", ["-rlF", user.password, spool.spool])
        #expect(found.outputText == "")
    }

    @Test(arguments: Shells.all) func aPasswordThatIsNotNeededIsNoInputForTheCommand(shell: [String]) async throws {
        let user = try await SudoUser(.noPassword)
        let spool = try UserSpool(shell, user)
        _ = try await spool.run(spool.launch("cat; id -u", password: user.password))
        #expect(try spool.file("stdout") == "0\n")
        #expect(try spool.record().status == 0)
    }

    @Test(arguments: Shells.all) func withoutAPasswordNothingIsAsked(shell: [String]) async throws {
        let user = try await SudoUser(.noPassword)
        let spool = try UserSpool(shell, user)
        _ = try await spool.run(spool.launch("id -u; exit 9", password: nil))
        #expect(try spool.file("stdout") == "0\n")
        #expect(try spool.record().status == 9)
    }

    @Test(arguments: Shells.all) func aWrongPasswordRunsNothing(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        _ = try await spool.run(spool.launch("echo ran", "echo ran", password: "wrong"))
        let record = try spool.record()
        #expect(record.reason == .sudo)
        #expect(record.status == 1)
        #expect(try spool.file("stdout") == "")
        #expect(try spool.file("stderr").contains("incorrect password"))
    }

    @Test(arguments: Shells.all) func aTimeoutEndsWhatRunsAsRoot(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let sleep = Processes.uniqueSleep()
        _ = try await spool.run(
            spool.launch("sleep \(sleep) & echo up; sleep \(sleep); echo never", password: user.password, timeout: 4))
        let record = try spool.record()
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(record.status == 143)
        #expect(try spool.file("stdout") == "up\n")
        #expect(!Processes.exist(withArgument: sleep))
    }

    @Test(arguments: Shells.all) func aRootProcessThatIgnoresTERMIsKilled(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let sleep = Processes.uniqueSleep()
        let result = try await spool.run(
            spool.launch(
                "trap '' TERM; sleep \(sleep) & echo up; while :; do sleep \(sleep); done", password: user.password),
            spool.wait(for: "stdout"), "ecr_cancel \(spool.place) TERM; sleep 0.3; ecr_cancel \(spool.place) KILL")
        #expect(result.outputText == "launched\nsent\nsent\n")
        let record = try spool.record()
        #expect(record.reason == .cancel)
        #expect(record.death == .confirmed)
        #expect(record.status == 137)
        #expect(!Processes.exist(withArgument: sleep))
        // The guard ends with the job; the watch over the killing looks once more after five seconds.
        let folder = "\(spool.spool)/0001"
        for _ in 0..<500 where Processes.exist(withArgument: folder) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!Processes.exist(withArgument: folder))
        #expect(try spool.record() == record)
    }

    /// Where sudo keeps a log of what is read and written it makes a terminal, and a session, between us and the commands.
    @Test(arguments: Shells.all) func aSudoThatLogsEverythingChangesNothing(shell: [String]) async throws {
        let user = try await SudoUser(
            defaults: ["log_input", "log_output", "use_pty", "iolog_dir=/tmp/ecr-test-iolog.%{user}"])
        defer { try? FileSystem.removeTree("/tmp/ecr-test-iolog.\(user.name)") }
        let spool = try UserSpool(shell, user)
        let sleep = Processes.uniqueSleep()
        _ = try await spool.run(
            spool.launch(
                "id -u; cat; tty; echo error >&2", "sleep \(sleep) & echo up; sleep \(sleep)", password: user.password,
                timeout: 5))
        let record = try spool.record()
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(try spool.file("stdout") == "0\nnot a tty\nup\n")
        #expect(try spool.file("stderr") == "error\n")
        #expect(!Processes.exist(withArgument: sleep))
    }

    @Test(arguments: Shells.all) func aCancelBeforeSudoHasBegunRunsNothing(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let folder = shellWord("\(spool.spool)/0001")
        let result = try await spool.run(
            "mkdir -p \(folder)/out; : >\(folder)/timeout", spool.launch("echo ran", password: user.password))
        #expect(result.outputText == "launched\n")
        let record = try spool.record()
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(try spool.file("stdout") == "")
    }

    @Test(arguments: Shells.all) func whatRootStartedDoesNotOutliveAKilledSudo(shell: [String]) async throws {
        let user = try await SudoUser()
        let spool = try UserSpool(shell, user)
        let sleep = Processes.uniqueSleep()
        let running = try spool.start(spool.launch("echo $PPID; sleep \(sleep)", password: user.password))
        for _ in 0..<500 where ((try? spool.file("stdout")) ?? "").isEmpty {
            try await Task.sleep(for: .milliseconds(20))
        }
        let shellOfRoot = try #require(Int32(try spool.file("stdout").dropLast()))
        Processes.kill(shellOfRoot)
        for _ in 0..<500 where Processes.exist(withArgument: sleep) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!Processes.exist(withArgument: sleep))
        _ = try await running.wait()
    }
}
