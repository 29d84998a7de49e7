import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Jobs that an abort has left on the target, which knows how they end.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AbandonedJobTests {
    /// Starts the action `a`, and aborts its run without its supervisor.
    private func whileAbandoned(
        _ commands: String, _ body: (RunFixture, RunDirectory) async throws -> Void
    ) async throws {
        try await RunFixture.with(profile: "actions: {a: {commands: ['\(commands)'], artifacts: [f]}}") { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "a", "--detach")
            try await fixture.wait(for: "the job") { try run.state().jobs.contains { $0.stdoutBytes > 0 } }
            try await fixture.killSupervisor(of: run)
            try await body(fixture, run)
        }
    }

    private func abort(_ fixture: RunFixture, _ run: RunDirectory) async throws {
        let abort = try await fixture.expect(0, "run", "abort")
        #expect(abort.errorText.contains("its outcome is unknown\n"))
        #expect(abort.errorText.contains("next: ecr run drain \(run.id), as soon as the target can be reached\n"))
        #expect(try run.state().jobs.map(\.outcome) == [.unknown])
    }

    @Test func aDrainRecordsHowAJobHasEnded() async throws {
        let go = try ScratchDirectory()
        let wait = #"echo begun; until [ -e "\#(go.path)/go" ]; do sleep 0.05; done; echo over; exit 3"#
        try await whileAbandoned(wait) { fixture, run in
            try go.write("go", "")
            try await fixture.wait(for: "the end") {
                FileSystem.exists("\(try #require(try run.state().spool))/0001/exit")
            }
            try await abort(fixture, run)
            let look = try await fixture.expect(0, "status")
            #expect(look.outputText.contains("what 0001-a wrote and was not fetched is in"), "\(look.outputText)")
            let drain = try await fixture.expect(0, "run", "drain")
            #expect(drain.errorText.contains("is drained\ncomplete: 100 %"), "\(drain.errorText)")
            let state = try run.state()
            let job = try #require(state.jobs.first)
            #expect(state.status == .aborted && job.outcome == .failed && job.exit == 3)
            #expect(try run.text("0001-a") == "begun\nover\n")
            #expect(try run.events(.actionUnknown).count == 1 && run.events(.actionFailed).count == 1)
            #expect(try await fixture.expect(1, "run", "follow", "a").outputText == "begun\nover\n")
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("there is nothing to fetch"))
            try await fixture.expect(0, "verify")
            try await fixture.expect(0, "run", "delete", "--yes", run.id)
        }
    }

    @Test func aDrainTellsOfAJobThatStillRuns() async throws {
        let sleep = Processes.uniqueSleep()
        try await whileAbandoned("echo begun; sleep \(sleep)") { fixture, run in
            try await abort(fixture, run)
            let waiting = try fixture.background("run", "drain")
            try await waiting.waitForError(
                "0001-a still runs on the target and is waited for; Ctrl-C, and then ecr run drain \(run.id) "
                    + "--cancel-running, ends it\n")
            waiting.signal(SIGINT)
            #expect(try await waiting.wait().status == 130)
            #expect(Processes.exist(withArgument: sleep))
            try await fixture.wait(for: "its end") { !run.hasSupervisor() }
            try await fixture.expect(0, "run", "drain", "--cancel-running")
            #expect(try run.state().jobs.map(\.outcome) == [.cancelled])
            #expect(!Processes.exist(withArgument: sleep))
        }
    }

    /// What the target does not know either is not asked again.
    @Test func aDrainSettlesWhatNobodyKnows() async throws {
        let sleep = Processes.uniqueSleep()
        try await whileAbandoned("echo begun; sleep \(sleep)") { fixture, run in
            try await abort(fixture, run)
            for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
            let spool = try #require(try run.state().spool)
            try await fixture.wait(for: "the end") { FileSystem.exists("\(spool)/0001/exit") }
            try FileSystem.removeTree(spool)
            let drain = try await fixture.expect(1, "run", "drain")
            #expect(drain.errorText.contains("missing: 0001-a: its outcome is unknown"))
            #expect(try run.events(.actionUnknown).last?.data["reason"] == "the spool on the target is gone")
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("there is nothing to fetch"))
            try await fixture.expect(0, "run", "delete", "--yes", run.id)
        }
    }
}
