import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Examples/field-session, which teaches scripts what to do about each exit code.
@Suite struct FieldSessionTests {
    private static let script =
        "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Examples/field-session"

    private func session(_ fixture: RunFixture, _ arguments: String...) throws -> RunningCommand {
        try RunningCommand(
            "/bin/sh", [Self.script] + arguments + ["profile.yaml"],
            environment: [
                "PATH": "\(BuiltProducts.directory):/usr/bin:/bin", "PAUSE": "0.1", "ECR_RUN": nil, "ECR_RUNS_DIR": nil,
                "SSH_AUTH_SOCK": nil,
            ], workingDirectory: fixture.scratch.path)
    }

    private func onlyRun(_ fixture: RunFixture) throws -> RunDirectory {
        let ids = try fixture.runs()
        try #require(ids.count == 1)
        return RunDirectory(path: fixture.scratch.path("runs/\(ids[0])"))
    }

    @Test func aSessionWithoutTrouble() async throws {
        try await RunFixture.with(profile: "actions: {measure: {commands: [\"echo measured\"]}}") { fixture in
            let result = try await session(fixture, "-n", "2").wait()
            #expect(result.status == 0, "\(result.errorText)")
            let run = try onlyRun(fixture)
            #expect(try run.state().status == .completed)
            #expect(try run.events(.actionCompleted).count == 2)
            #expect(FileSystem.exists(fixture.scratch.path("\(run.id).zip")))
        }
    }

    /// The supervisor is killed while an action runs: the job is taken up again, and nothing is run twice.
    @Test func aKilledSupervisor() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                "actions: {measure: {commands: [\"echo begin; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo end\"]}}"
            )
            let session = try session(fixture, "-n", "2")
            try await session.waitForOutput("begin")
            let run = try onlyRun(fixture)
            try await fixture.killSupervisor(of: run)
            try await session.waitForError("taking it up again")
            try fixture.scratch.write("go", "")
            let result = try await session.wait()
            #expect(result.status == 0, "\(result.errorText)")
            #expect(try run.events(.actionStarted).count == 2)
            #expect(try run.events(.actionCompleted).count == 2)
            #expect(try run.text("0001-measure") == "begin\nend\n")
            #expect(try run.events(.ledger).last?.data["complete"]?.bool == true)
        }
    }

    /// A target that comes up later is waited for; what cannot be mended is not tried again.
    @Test func aTargetThatIsNotThereYet() async throws {
        try await RunFixture.with(profile: "actions: {measure: {commands: [\"echo measured\"]}}") { fixture in
            try await fixture.server.stop()
            let session = try session(fixture, "-n", "1")
            try await session.waitForError("again in 0.1 s")
            try await fixture.server.restart()
            #expect(try await session.wait().status == 0)

            try fixture.write("actions: {}")
            #expect(try await self.session(fixture).wait().status == 65)
        }
    }

    @Test func aFailureIsAResult() async throws {
        try await RunFixture.with(profile: "actions: {measure: {commands: [\"exit 3\"], timeout: 1m}}") { fixture in
            let result = try await session(fixture, "-n", "2").wait()
            #expect(result.status == 1)
            #expect(result.errorText.contains("0 of 2 rounds completed"))
            let run = try onlyRun(fixture)
            #expect(try run.state().status == .completed)
            #expect(try run.events(.note).map { $0.data["text"]?.string } == ["round 1 failed", "round 2 failed"])
        }
    }
}
