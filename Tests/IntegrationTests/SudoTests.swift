import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Actions as root over the real sudo: how its password comes to it, and where it never is.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SudoUser.isAvailable, "making a user with a password needs root, sudo, useradd and chpasswd"))
struct SudoTests {
    /// Looks at every process of this machine, which is the target and the controller.
    private static let scan =
        #"for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done >\"$ECR_OUT/lines\" 2>/dev/null; true"#

    @Test func aPasswordIsAskedForOnceAndIsNowhere() async throws {
        let user = try await SudoUser()
        let profile = """
            actions:
              root: {sudo: true, commands: ["id -u; cat; pwd", "\(Self.scan)"], workdir: /root}
              mine: {commands: ["id -un"]}
            """
        try await RunFixture.with(user, profile: profile) { fixture in
            let run = try await fixture.start()
            let first = try await fixture.answer(
                [user.password], to: fixture.terminal("run", "action", "root", "--debug"))
            #expect(first.status == 0, "\(first.outputText)")
            #expect(first.outputText.contains("action root runs under sudo: password of \(user.name)@127.0.0.1:"))
            #expect(!first.outputText.contains(user.password))
            #expect(try run.text("0001-root") == "0\n/root\n")
            // It is remembered: nobody is there to be asked now.
            try await fixture.expect(0, "run", "action", "root")
            #expect(try await fixture.expect(0, "run", "exec", "--sudo", "--", "id", "-u").outputText == "0\n")
            #expect(try await fixture.expect(0, "run", "action", "mine").outputText == "\(user.name)\n")
            #expect(try run.events(.actionStarted).map { $0.data["sudo"]?.bool } == [true, true, true, nil])
            let lines = try FileSystem.read("\(run.path)/artifacts/0001-root/lines")
            let text = String(decoding: lines, as: UTF8.self)
            #expect(text.contains("sudo -S") && text.contains("supervise"))
            #expect(!text.contains(user.password))
            try await fixture.expectNowhere(user.password, in: run, user.home)
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100"))
            try await fixture.expectNowhere(user.password, in: run, user.home)
            #expect(try FileSystem.list("\(user.home)/spool").isEmpty)
        }
    }

    @Test func aWrongPasswordIsAskedForAgainAndRunsNothing() async throws {
        let user = try await SudoUser()
        try await RunFixture.with(user, profile: "actions: {root: {sudo: true, commands: [\"id -u\"]}}") { fixture in
            let run = try await fixture.start()
            let wrong = try await fixture.answer(
                ["wrong", "wrong again", "still wrong"], to: fixture.terminal("run", "action", "root"))
            #expect(wrong.status == 77, "\(wrong.outputText)")
            #expect(wrong.outputText.contains("action root was not started: sudo refused the password 3 times"))
            #expect(try run.events(.actionStarted).isEmpty)
            let second = try await fixture.answer(
                ["wrong", user.password], to: fixture.terminal("run", "action", "root"))
            #expect(second.status == 0, "\(second.outputText)")
            #expect(second.outputText.contains("sudo refused the password, try again"))
            #expect(try run.text("0001-root") == "0\n")
            try await fixture.expectNowhere("still wrong", in: run, user.home)
        }
    }

    @Test func aPasswordThatIsChangedMeanwhileFailsTheActionAndIsAskedForAgain() async throws {
        let user = try await SudoUser()
        try await RunFixture.with(user, profile: "actions: {root: {sudo: true, commands: [\"echo ran\"]}}") { fixture in
            let run = try await fixture.start()
            let first = try await fixture.answer([user.password], to: fixture.terminal("run", "action", "root"))
            #expect(first.status == 0, "\(first.outputText)")
            try await user.setPassword("a new password")
            let refused = try await fixture.expect(1, "run", "action", "root")
            #expect(refused.errorText.contains("root failed: exit 1, sudo refused to run it"))
            let end = try #require(try run.events(.actionFailed).first?.data)
            #expect(end["reason"]?.string == "sudo")
            #expect(try run.events(.commandStarted).count == 1)
            #expect(try run.text("0002-root") == "")
            let again = try await fixture.answer(["a new password"], to: fixture.terminal("run", "action", "root"))
            #expect(again.status == 0, "\(again.outputText)")
        }
    }

    @Test func withNobodyToAskNothingIsStarted() async throws {
        let user = try await SudoUser()
        let profile =
            "actions: {root: {sudo: true, commands: [\"true\"]}, tidy: {sudo: true, commands: [\"id -u\"]}}\nfinally: [tidy]"
        try await RunFixture.with(user, profile: profile) { fixture in
            let run = try await fixture.start()
            let refused = try await fixture.expect(77, "run", "action", "root")
            #expect(
                refused.errorText.contains("sudo asks for the password of \(user.name)@127.0.0.1, and no answer came"))
            #expect(refused.errorText.contains("sudo_password: {secret: env:NAME}"))
            #expect(try run.events(.actionStarted).isEmpty)
            // A run whose `finally:` cannot become root goes on instead of ending by half.
            #expect(try await fixture.expect(77, "run", "complete").errorText.contains("action tidy was not started"))
            #expect(try run.state().status == .running)
            let completed = try await fixture.answer([user.password], to: fixture.terminal("run", "complete"))
            #expect(completed.status == 0, "\(completed.outputText)")
            #expect(try run.text("0001-tidy") == "0\n")
        }
    }

    @Test func thePasswordMayComeFromTheEnvironment() async throws {
        let user = try await SudoUser()
        let profile = """
            setup: [root]
            actions: {root: {sudo: true, commands: ["id -u"]}}
            finally: [root]
            """
        let connection = ["sudo_password": "{secret: env:TEST_SUDO}"]
        try await RunFixture.with(user, profile: profile, connection: connection) { fixture in
            let missing = try await fixture.ecr("run", "start", "profile.yaml", environment: ["TEST_SUDO": nil])
            #expect(missing.status == 64)
            #expect(
                missing.errorText.contains("takes 'connection: sudo_password' from $TEST_SUDO, which is not set"))
            let wrong = try await fixture.ecr("run", "start", "profile.yaml", environment: ["TEST_SUDO": "wrong"])
            #expect(wrong.status == 77)
            #expect(wrong.errorText.contains("action root was not started: sudo refused the password in $TEST_SUDO"))
            #expect(try fixture.runs().isEmpty)
            #expect(try FileSystem.list("\(user.home)/spool").isEmpty)
            let started = try await fixture.ecr(
                "run", "start", "profile.yaml", environment: ["TEST_SUDO": user.password])
            try #require(started.status == 0, "\(started.errorText)")
            let run = fixture.run(started)
            try await fixture.expect(0, "run", "complete")
            #expect(try run.events(.actionCompleted).map { $0.data["invocation"]?.string } == ["setup", "finally"])
            try await fixture.expectNowhere(user.password, in: run, user.home)
        }
    }

    @Test func withoutAPasswordNothingIsAsked() async throws {
        let user = try await SudoUser(.noPassword)
        try await RunFixture.with(user, profile: "actions: {root: {sudo: true, commands: [\"id -u\"]}}") { fixture in
            _ = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "root").outputText == "0\n")
        }
    }

    @Test func whatSudoRefusesIsSaidClearly() async throws {
        let profile = "actions: {root: {sudo: true, commands: [\"id -u\"]}}"
        let stranger = try await SudoUser(.none)
        try await RunFixture.with(stranger, profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.answer([stranger.password], to: fixture.terminal("run", "action", "root"))
            #expect(result.status == 77, "\(result.outputText)")
            #expect(result.outputText.contains("sudo does not allow this user to run a shell as root"))
            #expect(try run.events(.actionStarted).isEmpty)
        }
        let bound = try await SudoUser(.noPassword, defaults: ["requiretty"])
        try await RunFixture.with(bound, profile: profile) { fixture in
            _ = try await fixture.start()
            #expect(try await fixture.expect(77, "run", "action", "root").errorText.contains("sudo wants a terminal"))
        }
    }

    @Test func aTargetWithoutSudoIsRefusedUnlessOneIsRoot() async throws {
        let profile = "actions: {root: {sudo: true, commands: [\"id -u\"]}}"
        let user = try await SudoUser()
        let tools = "\(user.home)/bin"
        try FileSystem.makeDirectories(tools)
        try user.own(tools)
        for tool in ["sh", "id", "uname", "date", "mkdir", "rm", "cat", "setsid", "sleep", "wc", "tr"] {
            try await Command.runSuccessfully("/bin/ln", ["-s", try #require(Command.find(tool)), "\(tools)/\(tool)"])
        }
        try await RunFixture.with(user, profile: profile) { fixture in
            let configuration = fixture.server.scratch.path("sshd_config")
            let text = String(decoding: try FileSystem.read(configuration), as: UTF8.self)
            try FileSystem.replace(configuration, with: Array("SetEnv PATH=\(tools)\n\(text)".utf8))
            try await fixture.server.restart()
            let run = try await fixture.start()
            let refused = try await fixture.expect(77, "run", "action", "root")
            #expect(refused.errorText.contains("action root was not started: the target has no sudo"))
            #expect(try run.events(.actionStarted).isEmpty)
        }
        try await RunFixture.with(profile: profile) { fixture in
            _ = try await fixture.start()
            #expect(try await fixture.expect(0, "run", "action", "root").outputText == "0\n")
        }
    }

    @Test func cancelAndTimeoutEndWhatRunsAsRoot() async throws {
        let user = try await SudoUser(.noPassword)
        let (cancelled, timed) = (Processes.uniqueSleep(), Processes.uniqueSleep())
        let profile = """
            actions:
              hang: {sudo: true, commands: ["sleep \(cancelled) & echo up; sleep \(cancelled)"]}
              slow: {sudo: true, commands: ["sleep \(timed) & echo up; sleep \(timed)"], timeout: 1}
            """
        try await RunFixture.with(user, profile: profile) { fixture in
            let run = try await fixture.start()
            let hanging = try fixture.background("run", "action", "hang")
            try await hanging.waitForOutput("up\n")
            try await fixture.expect(0, "run", "cancel")
            #expect(try await hanging.wait().status == 130)
            #expect(!Processes.exist(withArgument: cancelled))
            try await fixture.expect(124, "run", "action", "slow")
            #expect(!Processes.exist(withArgument: timed))
            #expect(try run.events(.actionCancelled).map { $0.data["death"]?.string } == ["confirmed"])
            #expect(try run.events(.actionFailed).map { $0.data["death"]?.string } == ["confirmed"])
        }
    }

    @Test func whatCannotBeKilledIsGivenUpAndSaid() async throws {
        let user = try await SudoUser(.noPassword)
        let sleep = Processes.uniqueSleep()
        // Without its guard nothing on the login user's side can reach root's processes.
        let command =
            "exec 2>&-; for p in /proc/[0-9]*; do case $(tr '\\\\0' ' ' <$p/cmdline) in *'while read -r '[s]*) kill -KILL ${p##*/} ;; esac; done; echo up; sleep \(sleep)"
        try await RunFixture.with(
            user, profile: "actions: {hang: {sudo: true, commands: [\"\(command)\"], timeout: 3}}"
        ) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(124, "run", "action", "hang")
            #expect(result.errorText.contains("the death of the job's processes is not confirmed"))
            #expect(try run.events(.actionFailed).map { $0.data["death"]?.string } == ["unconfirmed"])
            for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
        }
    }

    @Test func aJobOfRootOutlivesTheSupervisor() async throws {
        let user = try await SudoUser()
        let connection = ["sudo_password": "{secret: env:TEST_SUDO}"]
        try await RunFixture.with(user, profile: "", connection: connection) { fixture in
            let go = "\(user.home)/go"
            try fixture.write(
                "actions: {root: {sudo: true, commands: [\"echo begun; while [ ! -e \(go) ]; do sleep 0.05; done; id -u\"]}}",
                connection: ["user": user.name, "spool_dir": "\(user.home)/spool"].merging(connection) { $1 })
            let environment = ["TEST_SUDO": user.password]
            let started = try await fixture.ecr("run", "start", "profile.yaml", environment: environment)
            let run = fixture.run(started)
            let job = try await fixture.ecr("run", "action", "root", "--detach")
            #expect(job.status == 0, "\(job.errorText)")
            try await fixture.wait(for: "the output") { try run.state().job("0001-root")?.stdoutBytes == 6 }
            try await fixture.killSupervisor(of: run)
            try FileSystem.replace(go, with: [])
            // Without the secret its masking would be lost.
            let refused = try await fixture.ecr("run", "resume", environment: ["TEST_SUDO": nil])
            #expect(refused.status == 64)
            let resumed = try await fixture.ecr("run", "resume", environment: environment)
            #expect(resumed.status == 0, "\(resumed.errorText)")
            #expect(try await fixture.expect(0, "run", "follow", "0001-root").outputText == "begun\n0\n")
            try await fixture.expect(0, "run", "complete")
            try await fixture.expectNowhere(user.password, in: run, user.home)
        }
    }

    @Test func whatRootLeavesIsFetchedOrSaid() async throws {
        let user = try await SudoUser(.noPassword)
        let secret = "\(user.home)/root-only"
        let profile = """
            actions:
              root:
                sudo: true
                commands: ["umask 077; echo kept >\\"$ECR_OUT/kept\\"; mkdir \\"$ECR_OUT/d\\"; echo x >\\"$ECR_OUT/d/x\\"; echo hidden >\(secret)"]
                artifacts: ["\(secret)"]
            """
        try await RunFixture.with(user, profile: profile) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(0, "run", "action", "root")
            #expect(result.errorText.contains("artifact \(secret): "))
            #expect(result.errorText.contains("it may be root's own; copy it to $ECR_OUT"))
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-root/kept") == Array("kept\n".utf8))
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-root/d/x") == Array("x\n".utf8))
            try await fixture.expect(0, "run", "complete")
            // Root's folders do not keep the spool from being removed.
            #expect(try FileSystem.list("\(user.home)/spool").isEmpty)
        }
    }
}
