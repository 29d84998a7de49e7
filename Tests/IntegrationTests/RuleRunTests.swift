import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Rules on what collectors measure, with a sensor that the test sets.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RuleRunTests {
    /// A thermal zone is not to be had everywhere: the load of the processor is a number of every Linux, and its file is
    /// one that the test lays over it where it can; here the rule's own threshold is what differs.
    private static func profile(_ rules: String) -> String {
        """
        actions:
          hello: {commands: ["echo hello"]}
          long: {commands: ["sleep 60"]}
        background_collectors:
          mem: {builtin: memory, interval: 200ms}
        rules:
          \(rules)
        """
    }

    /// Holds always, as far as there is memory.
    private static let always = "mem.used > 0"
    private static let never = "mem.used < 0"

    private func phases(_ run: RunDirectory) throws -> [String] {
        try run.events(.ruleFired).compactMap { $0.data["phase"]?.string }
    }

    @Test func aHoldDelaysTheNextActionUntilItIsReleased() async throws {
        let rule = "- {name: hot, when: \"\(Self.always)\", until: \"\(Self.never)\", do: hold, note: too hot}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            let action = try fixture.background("run", "action", "hello")
            try await action.waitForError("holding: mem.used ")
            #expect(action.errorText.contains("hello waits"))
            let status = try await fixture.expect(0, "run", "status", "--json").json()
            #expect(status["holding"]?.string?.hasPrefix("holding: mem.used ") == true)
            #expect(status["rules"]?.array?.first?["holds"]?.bool == true)
            #expect(try await fixture.expect(0, "run", "status").outputText.contains("(ecr run release \"why\")"))
            #expect(try run.events(.actionStarted).isEmpty)
            try await fixture.expect(0, "run", "release", "sensor", "is", "broken")
            #expect(try await action.wait().status == 0)
            let released = try #require(try run.events(.ruleFired).last?.data)
            #expect(released["phase"] == "released" && released["reason"] == "sensor is broken")
            #expect(released["note"] == "too hot" && released["do"] == "hold")
            // Its condition has not ended, so it holds nothing more.
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(64, "run", "release", "again")
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func anActionThatIsHeldIsWithdrawnWithItsClient() async throws {
        let rule = "- {when: \"\(Self.always)\", until: \"\(Self.never)\", do: hold}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            let action = try fixture.background("run", "action", "hello", "--on-interrupt", "detach")
            try await action.waitForError("holding: ")
            action.signal(SIGTERM)
            _ = try await action.wait()
            try await fixture.expect(0, "run", "release", "go on")
            try await fixture.expect(0, "run", "action", "hello")
            #expect(try run.events(.actionStarted).count == 1)
        }
    }

    @Test func maxHoldEndsAHold() async throws {
        let rule = "- {when: \"\(Self.always)\", until: \"\(Self.never)\", do: hold, max_hold: 2}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run).first == "begin" }
            try await fixture.expect(0, "run", "action", "hello")
            #expect(try run.events(.ruleFired).last?.data["reason"] == "max_hold")
        }
    }

    @Test func aHoldOutlivesTheSupervisor() async throws {
        let rule = "- {when: \"\(Self.always)\", until: \"\(Self.never)\", do: hold}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            let status = try await fixture.expect(0, "run", "status", "--json").json()
            #expect(status["holding"]?.string?.hasPrefix("holding: ") == true)
            // It has begun once.
            #expect(try phases(run) == ["begin"])
        }
    }

    @Test func marksAreIntervalsThatEndWithTheRun() async throws {
        let rule = "- {when: \"\(Self.always)\", for: 400ms, note: warm}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
            let marked = try #require(try run.events(.intervalMarked).first?.data)
            #expect(marked["rule"]?.string == Self.always && marked["note"] == "warm")
            let began = try #require(try run.events(.ruleFired).first?.data["at"]?.string)
            let (from, to) = (try #require(marked["from"]?.string), try #require(marked["to"]?.string))
            #expect(from == began && from < to)
            // From the first sample on, not from the moment at which patience was at its end.
            let first = try #require(
                try run.events(.collectorOutput).first?.data["rows"]?.array?.first?["time"]?.string)
            #expect(from == first)
            try await fixture.expect(0, "verify", "latest")
        }
    }

    @Test func pauseCancelAndAbort() async throws {
        try await RunFixture.with(profile: Self.profile("- {when: \"\(Self.always)\", do: pause}")) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the pause") { try run.state().status == .paused }
            #expect(try run.state().pauseReason?.hasPrefix("rule mem.used > 0: mem.used ") == true)
            try await fixture.expect(0, "run", "resume")
        }
        // A tick after the action has begun.
        let started = "- {when: \"\(Self.always)\", for: 3s, do: cancel}"
        try await RunFixture.with(profile: Self.profile(started)) { fixture in
            _ = try await fixture.start()
            let action = try await fixture.ecr("run", "action", "long")
            #expect(action.status == 130 && action.errorText.contains("cancelled"))
        }
        try await RunFixture.with(profile: Self.profile("- {when: \"\(Self.always)\", for: 1s, do: abort}")) {
            fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the end") { !run.hasSupervisor() }
            let state = try run.state()
            #expect(state.status == .aborted && state.endReason?.hasPrefix("rule mem.used > 0: mem.used ") == true)
        }
    }
}
