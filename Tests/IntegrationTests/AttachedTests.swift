import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Actions without a spool: what they promise, and what they don't.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AttachedTests {
    @Test func outputAndEndAreRecordedAsTheyCome() async throws {
        let profile = """
            actions:
              direct:
                spool: false
                workdir: /tmp
                env: {A: "it's"}
                commands: ["echo \\"$A $PWD\\"; echo two >&2; cat; tty; echo kept >\\"$ECR_OUT/kept\\"", "printf three; exit 7"]
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(1, "run", "action", "direct")
            #expect(result.outputText == "it's /tmp\nnot a tty\nthree")
            #expect(result.errorText.hasPrefix("two\n"))
            #expect(try run.text("0001-direct") == "it's /tmp\nnot a tty\nthree")
            #expect(try run.text("0001-direct", "stderr") == "two\n")
            #expect(try run.events(.actionStarted).first?.data["attached"]?.bool == true)
            let end = try #require(try run.events(.actionFailed).first?.data)
            #expect(end["exit"]?.int == 7 && end["reason"]?.string == "exit")
            #expect(try run.events(.commandFailed).map { $0.data["index"]?.int } == [1])
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-direct/kept") == Array("kept\n".utf8))
            let spool = try #require(try run.state().spool)
            #expect(!FileSystem.exists("\(spool)/0001/stdout"))
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            let remarks = try #require(try run.events(.ledger).first?.data["remarks"]?.array).compactMap(\.string)
            #expect(remarks.contains("0001-direct ran without a spool: recorded, not comparable"))
        }
    }

    /// Far more than waits anywhere on the way: the job's writes have to wait for the record.
    @Test func muchOutputComesWhole() async throws {
        let command = "yes 'all work and no play' | head -c 20000000"
        try await RunFixture.with(profile: "actions: {much: {spool: false, commands: [\"\(command)\"]}}") { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "much", "--json")
            let expected = try await Command.run("/bin/sh", ["-c", "\(command) | sha256sum"])
            let recorded = try await Command.run(
                "/bin/sh", ["-c", "sha256sum <'\(run.actionLog(job: "0001-much", stream: "stdout"))'"])
            #expect(recorded.outputText == expected.outputText)
            #expect(try run.state().job("0001-much")?.stdoutBytes == 20_000_000)
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aServerWithOneChannelRefusesIt() async throws {
        let profile = "actions: {direct: {spool: false, commands: [\"echo ran\"]}}"
        try await RunFixture.with(.init(servesSFTP: false, maxSessions: 1), profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(64, "run", "action", "direct")
            #expect(result.errorText.contains("direct has 'spool: false', which needs a channel of its own"))
            #expect(result.errorText.contains("remove `spool: false`"))
            #expect(try run.events(.actionStarted).isEmpty)
            #expect(try await fixture.expect(0, "run", "exec", "--", "echo", "fine").outputText == "fine\n")
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aBrokenLinkMakesItUnknown() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = "actions: {direct: {spool: false, commands: [\"echo begun; sleep \(sleep)\"], retries: 2}}"
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "direct")
            try await action.waitForOutput("begun\n")
            fixture.server.killConnections()
            let result = try await action.wait()
            #expect(result.status == 79, "\(result.errorText)")
            let end = try #require(try run.events(.actionUnknown).first?.data)
            #expect(end["reason"]?.string?.hasPrefix("the link broke, and without a spool") == true)
            #expect(end["stdout_bytes"]?.int == 6)
            #expect(try run.state().jobs.count == 1)
            for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
            try await fixture.wait(for: "the link") { try run.state().isConnected }
            let completed = try await fixture.expect(1, "run", "complete")
            #expect(completed.errorText.contains("0001-direct: its outcome is unknown"))
        }
    }

    @Test func cancelAndTimeoutEndItAndConfirmIt() async throws {
        let (cancelled, timed) = (Processes.uniqueSleep(), Processes.uniqueSleep())
        let profile = """
            actions:
              hang: {spool: false, commands: ["sleep \(cancelled) & echo up; sleep \(cancelled)"]}
              slow: {spool: false, commands: ["echo up; sleep \(timed)"], timeout: 0.5}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let hanging = try fixture.background("run", "action", "hang")
            try await hanging.waitForOutput("up\n")
            try await fixture.expect(0, "run", "cancel")
            #expect(try await hanging.wait().status == 130)
            try await fixture.expect(124, "run", "action", "slow")
            #expect(!Processes.exist(withArgument: cancelled) && !Processes.exist(withArgument: timed))
            #expect(try run.events(.actionCancelled).map { $0.data["death"]?.string } == ["confirmed"])
            #expect(try run.events(.actionFailed).map { $0.data["death"]?.string } == ["confirmed"])
        }
    }

    @Test func whatItLeavesRunningDoesNotHoldItUp() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = "actions: {direct: {spool: false, commands: [\"sleep \(sleep) & echo done\"]}}"
        for options in [SSHServer.Options(), .init(servesSFTP: false)] {
            try await RunFixture.with(options, profile: profile) { fixture in
                _ = try await fixture.start()
                #expect(try await fixture.expect(0, "run", "action", "direct").outputText == "done\n")
                // What was started may not have become that program yet.
                try await fixture.wait(for: "what it has left") { Processes.exist(withArgument: sleep) }
                for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
            }
        }
    }

    @Test func aLostSupervisorMakesItUnknown() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = "actions: {direct: {spool: false, commands: [\"echo begun; sleep \(sleep)\"]}}"
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "direct", "--detach")
            try await fixture.wait(for: "the output") { try run.state().job("0001-direct")?.stdoutBytes == 6 }
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            let followed = try await fixture.expect(79, "run", "follow", "0001-direct")
            #expect(followed.outputText == "begun\n")
            #expect(followed.errorText.contains("the supervisor that read its output has ended"))
            for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
        }
    }

    @Test func wordsOfLoginScriptsAreNotItsOutput() async throws {
        let home = try ScratchDirectory()
        let shell = try home.write(
            "shell", "#!/bin/sh\necho hello from rc; echo and a warning >&2\nexec /bin/sh \"$@\"\n", mode: 0o755)
        let profile = "actions: {direct: {spool: false, commands: [\"echo out; echo err >&2\"]}}"
        try await RunFixture.with(
            .init(extraLines: ["ForceCommand \(shell) -c \"$SSH_ORIGINAL_COMMAND\""]), profile: profile
        ) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "direct")
            #expect(try run.text("0001-direct") == "out\n")
            #expect(try run.text("0001-direct", "stderr") == "err\n")
        }
    }

    @Test(.enabled(if: SudoUser.isAvailable, "making a user needs root, sudo and useradd")) func asRootToo()
        async throws
    {
        let user = try await SudoUser()
        let profile = """
            actions: {direct: {spool: false, sudo: true, env: {T: {secret: env:API_TOKEN}}, commands: ["id -u; echo $T"]}}
            """
        try await RunFixture.with(user, profile: profile, connection: ["sudo_password": "{secret: env:TEST_SUDO}"]) {
            fixture in
            let environment = ["TEST_SUDO": user.password, "API_TOKEN": "0123456789"]
            let started = try await fixture.ecr("run", "start", "profile.yaml", environment: environment)
            try #require(started.status == 0, "\(started.errorText)")
            let run = fixture.run(started)
            #expect(try await fixture.expect(0, "run", "action", "direct").outputText == "0\n**********\n")
            try await fixture.expect(0, "run", "complete")
            try await fixture.expectNowhere(user.password, in: run, user.home)
            try await fixture.expectNowhere("0123456789", in: run, user.home)
        }
    }
}
