import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The target's state at the start and at the end of a run.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FactTests {
    private func baseline(_ run: RunDirectory, _ moment: String) throws -> JSONObject? {
        try run.events(.targetFacts).map(\.data).last { $0["at"]?.string == moment }
    }

    @Test func bothEndsAreTakenDownAndCompared() async throws {
        try await RunFixture.with { fixture in
            let fact = fixture.scratch.path("fw_version")
            try fixture.scratch.write("fw_version", "one\n")
            try fixture.write(
                """
                facts: {firmware: "cat \(fact)", broken: "echo half; exit 3", long: "yes | head -c 100000", two: "echo a; echo b"}
                actions: {update: {commands: ["echo two >'\(fact)'"]}}
                """)
            let run = try await fixture.start()
            try await fixture.wait(for: "the facts of the start") { try baseline(run, "start") != nil }
            try await fixture.expect(0, "run", "action", "update")
            try await fixture.expect(0, "run", "complete")
            let (start, end) = (try #require(try baseline(run, "start")), try #require(try baseline(run, "end")))
            #expect(start["boot_id"]?.string == Clock.bootID && start["hostname"] == end["hostname"])
            #expect(start["cpu"]?["count"]?.int ?? 0 > 0 && start["memory"]?["total_kib"]?.int ?? 0 > 0)
            #expect(start["disks"]?.array?.isEmpty == false && start["incomplete"] == nil)
            #expect(start["own"]?["firmware"] == ["text": "one", "exit": 0])
            #expect(start["own"]?["broken"] == ["text": "half", "exit": 3])
            #expect(start["own"]?["two"] == ["text": "a\nb", "exit": 0])
            #expect(
                start["own"]?["long"]?["truncated"] == true
                    && start["own"]?["long"]?["text"]?.string?.utf8.count == 4096)
            #expect(start["identifiers"] == nil)
            let shown = try await fixture.expect(0, "run", "show").outputText
            #expect(shown.contains("changed between start and end") && shown.contains("own firmware text"))
            #expect(shown.contains("one -> two"))
            try await fixture.expect(0, "verify", "latest")
        }
    }

    @Test func identifiersOnRequestOnly() async throws {
        try await RunFixture.with(profile: "facts: {identifiers: true}\nactions: {a: {commands: [\"true\"]}}") {
            fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the facts of the start") { try baseline(run, "start") != nil }
            #expect(try baseline(run, "start")?["identifiers"]?["mac_lo"] == "00:00:00:00:00:00")
        }
    }

    /// With a fact that takes until the file `go` is there.
    private func withSlowFact(_ body: (RunFixture, RunDirectory) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                """
                facts: {slow: "while [ ! -e '\(go)' ]; do sleep 0.05; done; echo done"}
                actions: {hello: {commands: ["echo hello"]}}
                """)
            try await body(fixture, try await fixture.start())
        }
    }

    @Test func aSlowFactHoldsUpNothing() async throws {
        try await withSlowFact { fixture, run in
            try await fixture.expect(0, "run", "action", "hello")
            #expect(try baseline(run, "start") == nil)
            try fixture.scratch.write("go", "")
            try await fixture.expect(0, "run", "complete")
            #expect(try baseline(run, "start")?["own"]?["slow"]?["text"] == "done")
            #expect(try baseline(run, "end")?["own"]?["slow"]?["text"] == "done")
        }
    }

    @Test func aLinkThatBreaksAtTheStartCostsNoFacts() async throws {
        try await withSlowFact { fixture, run in
            fixture.server.killConnections()
            try await fixture.wait(for: "the loss") { try !run.events(.connectionLost).isEmpty }
            #expect(try baseline(run, "start") == nil)
            try fixture.scratch.write("go", "")
            try await fixture.wait(for: "the facts of the start") { try baseline(run, "start") != nil }
            try await fixture.expect(0, "run", "complete")
            #expect(try await fixture.expect(0, "run", "show").outputText.contains("changed between start and end"))
        }
    }

    @Test func nothingIsComparedWithoutTheFactsOfTheStart() async throws {
        try await RunFixture.with(
            profile: "facts: {slow: \"sleep 9\"}\nactions: {hello: {commands: [\"echo hello\"]}}"
        ) { fixture in
            let run = try await fixture.start()
            try await fixture.killSupervisor(of: run)
            let writer = try EventWriter.openPatiently(path: run.events)
            try writer.appendBlocking(.targetFacts, ["target": "target", "at": "end", "hostname": "h"])
            let shown = try await fixture.expect(0, "run", "show").outputText
            #expect(shown.contains("not known: no facts of the start") && !shown.contains("(nothing)"))
        }
    }
}
