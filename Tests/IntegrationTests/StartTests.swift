import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What can keep a run from starting, and what is left then.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StartTests {
    /// Starts a run that must be refused, and checks that nothing is left of it.
    private func refused(
        _ fixture: RunFixture, _ status: Int32, profile: String = "profile.yaml",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let before = try await fixture.ecr("run", "create", "profile.yaml")
        let runs = try fixture.runs()
        let current = try fixture.scratch.read("runs/.current")
        let result = try await fixture.expect(status, "run", "start", profile, at: location)
        #expect(result.output.isEmpty, sourceLocation: location)
        #expect(try fixture.runs() == runs, sourceLocation: location)
        #expect(try fixture.scratch.read("runs/.current") == current, sourceLocation: location)
        #expect(try fixture.run(before).state().status == .created, sourceLocation: location)
        return result.errorText
    }

    @Test func anInvalidProfileNamesEveryPlace() async throws {
        try await RunFixture.with { fixture in
            try fixture.scratch.write(
                "bad.yaml", "name: bench\nconnection: {host: h, prot: 22}\nactions:\n  a: {commands: []}\n")
            let error = try await refused(fixture, 65, profile: "bad.yaml")
            #expect(error.contains("bad.yaml:2:23: error: "))
            #expect(error.contains("port"))
            #expect(error.contains("bad.yaml:4:17: error: "))
            #expect(try await fixture.expect(65, "profile", "validate", "bad.yaml").errorText == error)
        }
    }

    @Test func anUnreachablePortIsToldWithHostAndPort() async throws {
        try await RunFixture.with { fixture in
            try await fixture.server.stop()
            let error = try await refused(fixture, 69)
            #expect(error.contains("127.0.0.1:\(fixture.server.port)"))
        }
    }

    @Test func aWrongKeyIsRefused() async throws {
        try await RunFixture.with { fixture in
            let key = fixture.scratch.path("other_key")
            try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
            try fixture.write(
                "actions: {a: {commands: [\"true\"]}}", as: "wrong.yaml", connection: ["key_file": "\"\(key)\""])
            let error = try await refused(fixture, 77, profile: "wrong.yaml")
            #expect(error.contains(key) || error.contains(fixture.server.user))
        }
    }

    @Test func anUnknownHostKeyIsRefusedWithItsFingerprint() async throws {
        try await RunFixture.with { fixture in
            let none = fixture.scratch.path("none")
            try fixture.write(
                "actions: {a: {commands: [\"true\"]}}", as: "unknown.yaml", connection: ["known_hosts": "\"\(none)\""])
            let error = try await refused(fixture, 77, profile: "unknown.yaml")
            #expect(error.contains(fixture.server.hostKeyFingerprint))
            #expect(error.contains("ecr target trust "))
            #expect(!FileSystem.exists(none))
        }
    }

    @Test func aChangedHostKeyIsRefusedWithBothFingerprints() async throws {
        let other = try await SSHServer.start()
        try await RunFixture.with { fixture in
            let line = try other.scratch.read("known_hosts").replacing(
                ":\(other.port) ", with: ":\(fixture.server.port) ")
            let known = try fixture.scratch.write("changed", line)
            try fixture.write(
                "actions: {a: {commands: [\"true\"]}}", as: "changed.yaml", connection: ["known_hosts": "\"\(known)\""])
            let error = try await refused(fixture, 77, profile: "changed.yaml")
            #expect(error.contains("changed"))
            #expect(error.contains(fixture.server.hostKeyFingerprint) && error.contains(other.hostKeyFingerprint))
        }
    }

    @Test func aTargetOfAnotherControllerIsBusy() async throws {
        try await RunFixture.with { fixture in
            try fixture.server.scratch.write(
                "spool/lock", "lock 1 0123456789abcdef you@bench 2026-01-27T14:30:52Z end\n")
            let error = try await refused(fixture, 75)
            #expect(error.contains("you@bench since 2026-01-27T14:30:52Z"))
        }
    }

    @Test func aFailedSetupAbortsAndKeepsTheRun() async throws {
        try await RunFixture.with(
            profile: "setup: [prepare]\nactions: {prepare: {commands: [\"echo no disk; exit 5\"]}}"
        ) { fixture in
            let result = try await fixture.expect(1, "run", "start", "profile.yaml")
            let run = fixture.run(result)
            #expect(result.errorText.contains("no disk"))
            #expect(result.errorText.contains("prepare"))
            try await fixture.wait(for: "the supervisor's end") { !run.hasSupervisor() }
            #expect(try run.state().status == .aborted)
            #expect(try run.text("0001-prepare") == "no disk\n")
            #expect(try run.events(.actionFailed).first?.data["exit"]?.int == 5)
            try await fixture.expect(64, "run", "action", "prepare")
        }
    }

    @Test func aRunIsStartedOnce() async throws {
        try await RunFixture.with { fixture in
            let run = fixture.run(try await fixture.expect(0, "run", "create", "profile.yaml"))
            let first = try fixture.background("run", "start")
            let second = try fixture.background("run", "start")
            let results = [try await first.wait(), try await second.wait()]
            #expect(results.filter { $0.status == 0 }.count == 1, "\(results.map(\.errorText))")
            #expect(results.contains { [64, 75].contains($0.status) })
            #expect(try run.events(.runStarted).count == 1)
            #expect(run.hasSupervisor())
            let again = try await fixture.expect(64, "run", "start")
            #expect(again.errorText.contains("is running"))
            try await fixture.expect(0, "run", "action", "hello")
        }
    }

    @Test func withTwoLiveRunsOneMustBeNamed() async throws {
        try await RunFixture.with { fixture in
            let first = try await fixture.start("--name", "first")
            let second = try await fixture.start("--name", "second")
            for arguments in [["note", "x"], ["run", "action", "hello"], ["run", "complete"], ["run", "abort"]] {
                let result = try await fixture.ecr(arguments)
                #expect(result.status == 64)
                #expect(result.errorText.contains(first.id) && result.errorText.contains(second.id))
            }
            #expect(try await fixture.ecr("note", "x", environment: ["ECR_RUN": first.id]).status == 0)
            try await fixture.expect(0, "run", "action", "hello", "--run", first.id)
            try await fixture.expect(0, "run", "complete", "--run", first.id)
            // One of one controller does not disturb the other; the last is again the only live one.
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
            #expect(try first.events(.note).count == 1)
            #expect(try second.state().jobs.map(\.id) == ["0001-hello"])
        }
    }
}
