import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import RemoteJobs

/// The job protocol's shell text as a target's shell runs it, without a link: fed to the shell's stdin, as the
/// dispatcher does.
private struct LocalSpool {
    let shell: [String]
    let scratch: ScratchDirectory

    init(_ shell: [String]) throws {
        self.shell = shell
        scratch = try ScratchDirectory()
        try FileSystem.makeDirectories(scratch.path("spool"))
    }

    /// `ecr_launch` for a job, with its words quoted.
    func launch(
        _ commands: String..., job: String = "0001-job", spool: String? = nil, limit: String = "", workdir: String = "",
        environment: [String] = []
    ) -> String {
        let words = [spool ?? scratch.path("spool"), job, limit, workdir] + environment + ["--"] + commands
        return "ecr_launch " + words.map(shellWord).joined(separator: " ")
    }

    /// Runs snippets after the library. The wrappers hold the shell's stderr, so this waits for their ends as well.
    func run(_ snippets: String..., prologue: String = "") async throws -> CommandResult {
        let text =
            "\(prologue)\n\(JobProtocol.library)\n" + snippets.map { "{ \($0)\n} </dev/null 2>/dev/null\n" }.joined()
        return try await Command.run(shell[0], Array(shell.dropFirst()), input: Array(text.utf8))
    }

    func file(_ name: String, job: String = "0001-job") throws -> String { try scratch.read("spool/\(job)/\(name)") }

    func record(job: String = "0001-job") throws -> ExitRecord {
        let line = try file("exit", job: job)
        #expect(line.hasSuffix("\n"))
        return try #require(ExitRecord(line: line.dropLast()))
    }

    /// Lets a record of the job find no room: a claim can be made and takes no line (full(4)), others cannot be made.
    func fill(_ name: String, job: String = "0001-job") throws {
        try FileSystem.makeDirectories(scratch.path("spool/\(job)/out"))
        let place = name == "claim" ? "/dev/full" : "/nonexistent/folder/\(name)"
        try check("link") { symlink(place, scratch.path("spool/\(job)/\(name)")) }
    }

    /// A snippet that waits until a file of the job is there and not empty.
    func wait(for name: String) -> String {
        "while [ ! -s \(shellWord(scratch.path("spool/0001-job/\(name)"))) ]; do sleep 0.02; done"
    }

    var place: String { "\(shellWord(scratch.path("spool"))) 0001-job" }
}

@Suite(.timeLimit(.minutes(2))) struct JobProtocolTests {
    @Test(arguments: Shells.all) func aJobLeavesItsOutputAndItsExit(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let result = try await spool.run(spool.launch("printf out; printf error >&2; exit 3"))
        #expect(result.outputText == "launched\n")
        #expect(try spool.file("stdout") == "out")
        #expect(try spool.file("stderr") == "error")
        let record = try spool.record()
        #expect(record.status == 3)
        #expect(record.reason == .exit)
        #expect(record.death == .notAsked)
        #expect(record.stdoutBytes == 3)
        #expect(record.stderrBytes == 5)
        #expect(record.started > 0 && record.ended >= record.started)
        #expect(!record.hasFiles)
        // The announcement is the record, once.
        #expect(result.errorText == "X 0001-job \(try spool.file("exit"))")
    }

    @Test(arguments: Shells.all) func aJobIsLaunchedAtMostOnce(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let launch = spool.launch("echo ran >>\(shellWord(spool.scratch.path("count")))")
        let result = try await spool.run(launch, launch, launch)
        #expect(result.outputText == "launched\nclaimed\nclaimed\n")
        #expect(try spool.scratch.read("count") == "ran\n")
        // Also by another shell, after the end.
        #expect(try await spool.run(launch).outputText == "claimed\n")
        #expect(try spool.scratch.read("count") == "ran\n")
    }

    @Test(arguments: Shells.all) func manyLaunchersRaceForOneClaim(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let launch = spool.launch("echo ran >>\(shellWord(spool.scratch.path("count")))")
        let words = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 { group.addTask { try await spool.run(launch).outputText } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(words.sorted() == Array(repeating: "claimed\n", count: 5) + ["launched\n"])
        #expect(try spool.scratch.read("count") == "ran\n")
    }

    @Test(arguments: Shells.all) func aMissingSpoolIsNeverMade(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let missing = spool.scratch.path("missing")
        #expect(try await spool.run(spool.launch("true", spool: missing)).outputText == "nospool\n")
        #expect(!FileSystem.exists(missing))
        #expect(try await spool.run("ecr_status \(shellWord(missing)) 0001-job").outputText == "nospool\n")
    }

    @Test(arguments: Shells.all) func theEnvironmentAndTheWorkdirArrive(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        try FileSystem.makeDirectories(spool.scratch.path("a dir"))
        let value = " it's\n$(id) \"x\" "
        _ = try await spool.run(
            spool.launch(
                #"printf '%s|%s|%s|%s' "$A" "$B" "$PWD" "$ECR_OUT""#, workdir: spool.scratch.path("a dir"),
                environment: ["A=\(value)", "B=x=y"]))
        let out = spool.scratch.path("spool/0001-job/out")
        #expect(try spool.file("stdout") == "\(value)|x=y|\(spool.scratch.path("a dir"))|\(out)")
    }

    @Test(arguments: Shells.all) func aMissingWorkdirFailsWithAWord(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        _ = try await spool.run(spool.launch("echo ran", workdir: "/nonexistent/dir"))
        #expect(try spool.record().status == 1)
        #expect(try spool.file("stdout") == "")
        #expect(try spool.file("stderr").contains("/nonexistent/dir"))
    }

    @Test(arguments: Shells.all) func severalCommandsStopAtTheFirstFailure(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        _ = try await spool.run(spool.launch("X=1; echo one", "echo \"two $X\"; exit 5", "echo three"))
        // Each has a shell of its own, so the variable is gone.
        #expect(try spool.file("stdout") == "one\ntwo \n")
        #expect(try spool.record().status == 5)
        let lines = try spool.file("commands").split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.map { $0.dropLast().joined(separator: " ") } == ["S 0", "E 0 0", "S 1", "E 1 5"])
        #expect(lines.allSatisfy { Double($0.last ?? "") != nil })
    }

    @Test(arguments: Shells.all) func severalCommandsThatSucceedExitWithZero(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        _ = try await spool.run(spool.launch("echo \"it's\"", "printf '%s\\n' \"a  b\"", "true"))
        #expect(try spool.file("stdout") == "it's\na  b\n")
        #expect(try spool.record().status == 0)
        #expect(try spool.file("commands").split(separator: "\n").count == 6)
    }

    @Test(arguments: Shells.all) func aTimeoutKillsTheWholeGroup(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let sleep = Processes.uniqueSleep()
        _ = try await spool.run(spool.launch("sleep \(sleep) & echo up; sleep \(sleep); echo never", limit: "1"))
        let record = try spool.record()
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(record.status == 143)
        #expect(try spool.file("stdout") == "up\n")
        #expect(!Processes.exist(withArgument: sleep))
    }

    @Test(arguments: Shells.all) func aTimeoutThatIsNotReachedLeavesNothingBehind(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let limit = Processes.uniqueSleep()
        _ = try await spool.run(spool.launch("exit 0", limit: limit))
        #expect(try spool.record().reason == .exit)
        // It was killed; on a busy machine it still has to die.
        for _ in 0..<500 where Processes.exist(withArgument: limit) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!Processes.exist(withArgument: limit))
    }

    @Test(arguments: Shells.all) func aJobThatIgnoresTERMIsKilled(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let sleep = Processes.uniqueSleep()
        _ = try await spool.run(
            spool.launch("trap '' TERM; sleep \(sleep) & echo up; while :; do sleep \(sleep); done", limit: "1"))
        let record = try spool.record()
        #expect(record.reason == .timeout)
        #expect(record.death == .confirmed)
        #expect(record.status == 137)
        #expect(!Processes.exist(withArgument: sleep))
    }

    @Test(arguments: Shells.all) func aCancelledJobSaysSo(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let sleep = Processes.uniqueSleep()
        let result = try await spool.run(
            spool.launch("echo up; sleep \(sleep)"), spool.wait(for: "stdout"), "ecr_cancel \(spool.place) TERM")
        #expect(result.outputText == "launched\nsent\n")
        let record = try spool.record()
        #expect(record.reason == .cancel)
        #expect(record.death == .confirmed)
        #expect(!Processes.exist(withArgument: sleep))
        // A second time there is nobody to signal.
        #expect(try await spool.run("ecr_cancel \(spool.place) TERM").outputText == "gone\n")
    }

    @Test(arguments: Shells.all) func theStandingIsToldThroughoutALife(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let boot = Clock.bootID
        let status = "ecr_status \(spool.place)"
        #expect(JobStanding(reply: try await spool.run(status).outputText, boot: boot) == .unclaimed)
        let go = shellWord(spool.scratch.path("go"))
        let running = try await spool.run(
            spool.launch("echo up; while [ ! -e \(go) ]; do sleep 0.02; done"), spool.wait(for: "stdout"), status,
            ": >\(go)"
        ).outputText
        #expect(JobStanding(reply: running, boot: boot) == .running)
        #expect(running.contains("job alive"))
        let ended = try await spool.run(status).outputText
        #expect(JobStanding(reply: ended, boot: boot) == .ended(try spool.record()))
    }

    @Test(arguments: Shells.all) func aKilledWrapperIsNoticed(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let sleep = Processes.uniqueSleep()
        let meta = shellWord(spool.scratch.path("spool/0001-job/meta"))
        let status = "ecr_status \(spool.place)"
        let kill = "read -r a b w t p x <\(meta); kill -KILL $w; while kill -0 $w; do sleep 0.02; done"
        let lost = try await spool.run(
            spool.launch("echo up; exec sleep \(sleep)"), spool.wait(for: "stdout"), kill, status,
            "kill -KILL $p; while kill -0 $p; do sleep 0.02; done; echo =; \(status)"
        ).outputText.split(separator: "=\n").map(String.init)
        try #require(lost.count == 2)
        #expect(JobStanding(reply: lost[0], boot: Clock.bootID) == .wrapperLost)
        #expect(JobStanding(reply: lost[1], boot: Clock.bootID) == .vanished)
    }

    // MARK: A full disk

    @Test(arguments: Shells.all) func aClaimThatFindsNoRoomIsTakenBack(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        try spool.fill("claim")
        let launch = spool.launch("echo ran >>\(shellWord(spool.scratch.path("count")))")
        #expect(try await spool.run(launch).outputText == "nospace\n")
        #expect(try FileSystem.list(spool.scratch.path("spool/0001-job")) == ["out"])
        #expect(!FileSystem.exists(spool.scratch.path("count")))
        // With room it may be launched.
        #expect(try await spool.run(launch).outputText == "launched\n")
        #expect(try spool.scratch.read("count") == "ran\n")
        #expect(try spool.file("claim") == "claim 1 end\n")
    }

    @Test(arguments: Shells.all) func aJobWithoutRoomForItsMetaDoesNotBegin(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        try spool.fill("meta")
        let launch = spool.launch("echo ran >>\(shellWord(spool.scratch.path("count")))")
        #expect(try await spool.run(launch).outputText == "launched\n")
        #expect(!FileSystem.exists(spool.scratch.path("count")))
        #expect(try spool.record().reason == .disk)
    }

    @Test(arguments: Shells.all) func anExitWithoutRoomIsInMeta(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        try spool.fill("exit")
        let result = try await spool.run(spool.launch("echo out; exit 3"))
        let lines = try spool.file("meta").split(separator: "\n")
        try #require(lines.count == 2)
        let record = try #require(ExitRecord(line: lines[1]))
        #expect(record.status == 3 && record.reason == .exit && record.stdoutBytes == 4)
        #expect(result.errorText == "X 0001-job \(lines[1])\n")
        let standing = JobStanding(
            reply: try await spool.run("ecr_status \(spool.place)").outputText, boot: Clock.bootID)
        #expect(standing == .ended(record))
    }

    @Test(arguments: Shells.all) func anExitWithoutAnyRoomButTheClaimsIsInTheClaim(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        try spool.fill("meta")
        try spool.fill("exit")
        _ = try await spool.run(spool.launch("echo out"))
        let lines = try spool.file("claim").split(separator: "\n")
        try #require(lines.count == 2)
        let record = try #require(ExitRecord(line: lines[1]))
        #expect(record.reason == .disk)
        let reply = try await spool.run("ecr_status \(spool.place)").outputText
        #expect(JobStanding(reply: reply, boot: Clock.bootID) == .ended(record))
    }

    @Test(arguments: Shells.all) func theJobHasTheUsersUmaskAndSignals(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        _ = try await spool.run(
            spool.launch("umask; grep SigIgn /proc/self/status; cat; tty; ls -l /proc/$$/fd | grep -c /spool/; :"),
            prologue: "umask 027")
        let lines = try spool.file("stdout").split(separator: "\n").map(String.init)
        try #require(lines.count == 4)
        #expect(lines[0] == "0027")
        // Of the signals with names, 1 to 31, none is ignored: what lies above is the business of who started the shell.
        let ignored = try #require(UInt64(lines[1].drop { $0 != "\t" }.dropFirst(), radix: 16))
        #expect(ignored & 0x7FFF_FFFF == 0)
        #expect(lines[2] == "not a tty")
        // stdout and stderr; none of the wrapper's own descriptors has leaked.
        #expect(lines[3] == "2")
        #expect(try spool.record().status == 0)
        let mode = try await Command.run("/usr/bin/stat", ["-c", "%a", spool.scratch.path("spool/0001-job/stdout")])
        #expect(mode.outputText == "600\n")
    }

    @Test(arguments: Shells.all) func filesInTheOutFolderAreTold(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let commands = [
            ("0001-none", "true", false), ("0002-file", #"echo x >"$ECR_OUT/f""#, true),
            ("0003-hidden", #": >"$ECR_OUT/.f""#, true), ("0004-link", #"ln -s /nonexistent "$ECR_OUT/l""#, true),
            ("0005-dots", #": >"$ECR_OUT/..f""#, true),
        ]
        for (job, command, hasFiles) in commands {
            _ = try await spool.run(spool.launch(command, job: job))
            #expect(try spool.record(job: job).hasFiles == hasFiles, "\(job)")
        }
    }

    /// A job of root's that cannot be killed is given up in its wrapper's place; what it has left is told then, too.
    @Test(arguments: Shells.all) func aJobThatIsGivenUpTellsItsFiles(shell: [String]) async throws {
        let spool = try LocalSpool(shell)
        let sleep = Processes.uniqueSleep()
        let jobs = [("0001-job", "", false), ("0002-job", #": >"$ECR_OUT/f";"#, true)]
        for (job, command, _) in jobs {
            let folder = shellWord(spool.scratch.path("spool/\(job)"))
            _ = try await spool.run(
                spool.launch("\(command) echo up; exec sleep \(sleep)", job: job),
                "while [ ! -s \(folder)/stdout ]; do sleep 0.02; done; sh -c \"$ecr_yield\" sh \(folder) cancel",
                "ecr_cancel \(shellWord(spool.scratch.path("spool"))) \(job) KILL")
        }
        for (job, _, hasFiles) in jobs {
            let record = try spool.record(job: job)
            #expect(record.reason == .cancel && record.death == .unconfirmed && record.status == 137)
            #expect(record.stdoutBytes > 0 && record.stderrBytes == 0 && record.hasFiles == hasFiles, "\(job)")
        }
        #expect(!Processes.exist(withArgument: sleep))
    }
}
