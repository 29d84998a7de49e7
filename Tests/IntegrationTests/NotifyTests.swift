import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The controller's command that is told of events of a real run.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NotifyTests {
    private static let actions = "actions: {good: {commands: [\"true\"]}, bad: {commands: [\"exit 3\"]}}"

    @Test func itIsToldOfWhatItWantsAndOfTheEnd() async throws {
        let profile = """
            \(Self.actions)
            notify: {on: [run_started, action_failed, run_completed], run: 'echo "$ECR_EVENT $ECR_SEQ" >>told; cat >>lines; echo heard; exit 5'}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "good")
            try await fixture.expect(1, "run", "action", "bad")
            try await fixture.expect(0, "run", "complete")
            try await fixture.wait(for: "the last message") {
                fixture.written("lines").contains("\"type\":\"run_completed\"")
            }
            let wanted: Set<EventType> = [.runStarted, .actionFailed, .runCompleted]
            let events = try run.allEvents().filter { wanted.contains($0.type) }
            #expect(events.count == 3)
            #expect(
                try fixture.scratch.read("told") == events.map { "\($0.type.rawValue) \($0.seq)\n" }.joined())
            #expect(try fixture.scratch.read("lines").utf8.elementsEqual(events.flatMap { $0.line + [0x0A] }))
            try await fixture.wait(for: "the log") {
                String(decoding: try FileSystem.read(run.supervisorLog), as: UTF8.self).contains(
                    "for run_completed (event \(events[2].seq)) exited 5")
            }
            #expect(String(decoding: try FileSystem.read(run.supervisorLog), as: UTF8.self).contains("heard\n"))
        }
    }

    @Test func aSlowOneHoldsUpNeitherTheRunNorItsEnd() async throws {
        try await RunFixture.with(profile: Self.actions) { fixture in
            // By the project's settings, for a run that is started somewhere below.
            try fixture.scratch.write(
                "ecr.yaml",
                "notify: {on: [run_started, run_completed], run: 'while ! test -e go; do sleep 0.05; done; echo $ECR_EVENT >>told'}"
            )
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "good")
            try await fixture.expect(0, "run", "complete")
            // The run is nobody's any more, although both messages are still to come.
            #expect(!run.hasSupervisor() && !FileSystem.exists(fixture.scratch.path("told")))
            #expect(try await fixture.expect(0, "run", "export", "--json").json()["recorded"]?.bool == true)
            try await fixture.expect(0, "note", "after the end")
            try fixture.scratch.write("go", "")
            try await fixture.wait(for: "the messages") {
                fixture.written("told") == "run_started\nrun_completed\n"
            }
        }
    }

    @Test func anAbortBySetupIsTold() async throws {
        let profile = """
            \(Self.actions)
            setup: [bad]
            notify: {on: [action_failed, run_aborted], run: 'echo $ECR_EVENT >>told'}
            """
        try await RunFixture.with(profile: profile) { fixture in
            try await fixture.expect(1, "run", "start", "profile.yaml")
            try await fixture.wait(for: "the messages") {
                fixture.written("told") == "action_failed\nrun_aborted\n"
            }
        }
    }

    @Test func itMayWriteIntoTheRunAndOutlivesAResume() async throws {
        let ecr = try BuiltProducts.ecr()
        let profile = """
            \(Self.actions)
            notify: {on: [action_failed], run: '\(ecr) note "heard of $ECR_SEQ"'}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.killSupervisor(of: run)
            // The profile may change or go; the run has the command.
            try FileSystem.removeTree(fixture.scratch.path("profile.yaml"))
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(1, "run", "action", "bad")
            try await fixture.wait(for: "the note") { try run.state().notes == 1 }
            let failed = try #require(try run.events(.actionFailed).first).seq
            #expect(try run.events(.note).first?.data["text"]?.string == "heard of \(failed)")
        }
    }
}

extension RunFixture {
    /// What a command has written so far.
    fileprivate func written(_ name: String) -> String { (try? scratch.read(name)) ?? "" }
}
