import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// `ecr target clean`: what goes and what stays.
@Suite(.timeLimit(.minutes(2))) struct TargetCleanTests {
    private static let profile =
        "actions: {hello: {commands: [\"echo hello\"]}, long: {commands: [\"sleep 1000\"]}}"

    /// What the command did or would do with each spool, by the spool's id.
    private func actions(_ fixture: RunFixture, _ options: String...) async throws -> [String: String] {
        let result = try await fixture.ecr(["target", "clean", "profile.yaml", "--json"] + options)
        try #require(result.status == 0, "\(result.errorText)")
        let spools = try result.json()["spools"]?.array ?? []
        return Dictionary(
            uniqueKeysWithValues: spools.map {
                (FileSystem.name(of: $0["spool"]?.string ?? ""), $0["action"]?.string ?? "")
            })
    }

    private func spoolID(_ run: RunDirectory) throws -> String {
        FileSystem.name(of: try #require(try run.state().spool))
    }

    /// What is in the spool root.
    private func names(_ fixture: RunFixture) throws -> [String] {
        let root = fixture.server.scratch.path("spool")
        return FileSystem.exists(root) ? try FileSystem.list(root) : []
    }

    /// A directory in the spool root.
    private func leave(_ fixture: RunFixture, _ id: String) throws {
        try FileSystem.makeDirectories(fixture.server.scratch.path("spool/\(id)/0001"))
    }

    @Test func aRunThatIsOverLeavesNothing() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "complete")
            let id = try spoolID(run)
            #expect(try await actions(fixture) == [:])
            // As if its removal had failed.
            try leave(fixture, id)
            #expect(try await actions(fixture, "--dry-run") == [id: "would_be_removed"])
            #expect(try names(fixture) == [id])
            let nobody = try await fixture.expect(64, "target", "clean", "profile.yaml", "--no-input")
            #expect(nobody.errorText.contains("remove 1 spool"))
            #expect(nobody.errorText.contains("--yes"))
            #expect(try names(fixture) == [id])
            #expect(try await actions(fixture, "--yes") == [id: "removed"])
            #expect(try names(fixture) == [])
        }
    }

    @Test func runsThatGoOnKeepTheirSpool() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let live = try await fixture.start("--name", "live")
            let interrupted = try await fixture.start("--name", "interrupted")
            try await fixture.killSupervisor(of: interrupted)
            let kept = [try spoolID(live): "kept", try spoolID(interrupted): "kept"]
            #expect(try await actions(fixture, "--yes", "--force") == kept)
            try await fixture.expect(64, "target", "clean", "profile.yaml", "--run", live.id)
            try await fixture.expect(64, "target", "clean", "profile.yaml", "--run", interrupted.id, "--force")
            // The lock is still needed, too.
            #expect(try names(fixture).contains("lock"))
            try await fixture.expect(0, "run", "action", "hello", "--run", live.id)
        }
    }

    @Test func whatNobodyKnowsStaysUnlessForced() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            try leave(fixture, "0123456789abcdef")
            try leave(fixture, "somebody's folder")
            #expect(try await actions(fixture, "--yes") == ["0123456789abcdef": "kept"])
            #expect(try await actions(fixture, "--yes", "--force") == ["0123456789abcdef": "removed"])
            #expect(try names(fixture) == ["somebody's folder"])
        }
    }

    @Test func aRunningJobIsEndedOnlyByForce() async throws {
        let sleep = Processes.uniqueSleep()
        try await RunFixture.with(profile: "actions: {long: {commands: [\"sleep \(sleep)\"]}}") { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "long", "--detach")
            try await fixture.wait(for: "the job") { Processes.exist(withArgument: sleep) }
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "abort")
            let id = try spoolID(run)
            #expect(try await actions(fixture, "--yes") == [id: "kept"])
            #expect(Processes.exist(withArgument: sleep))
            #expect(try await actions(fixture, "--yes", "--force") == [id: "removed"])
            #expect(!Processes.exist(withArgument: sleep))
            #expect(try names(fixture) == [])
        }
    }

    @Test func aRunWhoseRecordLacksSomething() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "hello")
            let id = try spoolID(run)
            try fixture.server.scratch.write("spool/\(id)/0001/stdout", "hello\nand more than was recorded\n")
            try await fixture.expect(1, "run", "complete")
            let result = try await fixture.expect(0, "target", "clean", "profile.yaml", "--yes")
            #expect(result.outputText.contains("kept"))
            #expect(result.outputText.contains("ecr run drain \(run.id), or --force"))
            #expect(try await actions(fixture, "--yes", "--force", "--run", run.id) == [id: "removed"])
        }
    }

    @Test func anotherControllersSpoolsAreNotTouched() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let lock = "lock 1 0123456789abcdef you@bench 2026-01-27T14:30:52.000000Z end\n"
            try leave(fixture, "fedcba9876543210")
            try fixture.server.scratch.write("spool/lock", lock)
            for options in [[], ["--force", "--yes"]] {
                let result = try await fixture.ecr(["target", "clean", "profile.yaml"] + options)
                #expect(result.status == 75)
                #expect(result.errorText.contains("is held by you@bench since 2026-01-27 14:30:52 UTC"))
                #expect(try names(fixture) == ["fedcba9876543210", "lock"])
                #expect(try fixture.server.scratch.read("spool/lock") == lock)
            }
            try await fixture.expect(64, "target", "clean", "profile.yaml", "--take-over", "--no-input")
            #expect(try fixture.server.scratch.read("spool/lock") == lock)
            let refused = try await fixture.expect(75, "run", "start", "profile.yaml")
            #expect(refused.errorText.contains("--take-over"))

            let taken = try await fixture.expect(0, "target", "clean", "profile.yaml", "--take-over", "--yes")
            #expect(taken.errorText.contains("was taken over from you@bench"))
            #expect(try names(fixture) == ["fedcba9876543210", "lock"])
            #expect(try fixture.server.scratch.read("spool/lock") != lock)
            _ = try await fixture.start()
            try await fixture.expect(0, "run", "complete")
            #expect(try await actions(fixture, "--yes", "--force") == ["fedcba9876543210": "removed"])
            #expect(try names(fixture) == [])
        }
    }

    @Test func whatOneSharesIsOnesOwn() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let lock = "lock 1 0123456789abcdef you@bench 2026-01-27T14:30:52.000000Z end\n"
            try leave(fixture, "fedcba9876543210")
            try fixture.server.scratch.write("spool/lock", lock)
            let run = try await fixture.start("--share")
            try await fixture.expect(0, "run", "complete")
            let id = try spoolID(run)
            try leave(fixture, id)
            #expect(try await actions(fixture, "--yes", "--force") == [id: "removed"])
            #expect(try names(fixture) == ["fedcba9876543210", "lock"])
            #expect(try fixture.server.scratch.read("spool/lock") == lock)
        }
    }

    @Test func aTargetThatIsNotThere() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            try await fixture.server.stop()
            try await fixture.expect(69, "target", "clean", "profile.yaml")
            try await fixture.expect(66, "target", "clean", "profile.yaml", "--run", "none")
            try await fixture.expect(66, "target", "clean", "nowhere")
        }
    }

    @Test func aPersonIsAsked() async throws {
        let server = try await SSHServer.start(.init(extraLines: []))
        let target = try BareTarget(server)
        try target.scratch.write(
            "board.yaml",
            """
            name: board
            connection: {host: 127.0.0.1, port: \(server.port), spool_dir: "\(target.scratch.path("spool"))"}
            actions: {a: {commands: ["true"]}}
            """)
        let spool = target.scratch.path("spool/0123456789abcdef")
        try FileSystem.makeDirectories(spool)
        let no = try await target.onTerminal(
            "target", "clean", "board.yaml", "--force", asked: "[y/N]", answer: "n\r")
        #expect(no.status == 130)
        #expect(no.outputText.contains("nothing was changed"))
        #expect(FileSystem.exists(spool))
        let yes = try await target.onTerminal(
            "target", "clean", "board.yaml", "--force", asked: "[y/N]", answer: "y\r")
        #expect(yes.status == 0)
        #expect(!FileSystem.exists(spool))
    }
}
