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

    /// A run with a sensor: the collector `heat` reads the file `sensor`.
    private func withSensor(
        _ rules: String, _ reading: String, _ command: String = "cat sensor", connection: [String: String] = [:],
        _ body: (RunFixture, RunDirectory) async throws -> Void
    ) async throws {
        let fixture = RunFixture(
            server: try await SSHServer.start(), scratch: try ScratchDirectory(), connection: connection)
        try fixture.scratch.write("sensor", reading)
        try fixture.write(
            """
            actions:
              hello: {commands: ["echo hello"]}
              long: {commands: ["sleep 60"]}
            background_collectors:
              heat: {command: "cd '\(fixture.scratch.path)'; \(command)", interval: 200ms, parse: {key_value: [cpu]}}
            rules:
              \(rules)
            """)
        try await fixture.use { try await body($0, try await $0.start()) }
    }

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
            try await fixture.killSupervisor(of: run)
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
        try await withSensor("- {when: \"heat.cpu > 85\", do: cancel}", "cpu=20") { fixture, run in
            let action = try fixture.background("run", "action", "long")
            try await fixture.wait(for: "the action") { try run.state().openJobs.contains { $0.name == "long" } }
            try fixture.scratch.write("sensor", "cpu=90")
            let result = try await action.wait()
            #expect(result.status == 130 && result.errorText.contains("cancelled"))
        }
        try await RunFixture.with(profile: Self.profile("- {when: \"\(Self.always)\", for: 1s, do: abort}")) {
            fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the end") { !run.hasSupervisor() }
            let state = try run.state()
            #expect(state.status == .aborted && state.endReason?.hasPrefix("rule mem.used > 0: mem.used ") == true)
        }
    }

    // MARK: Holds

    private static let hold = "- {name: hot, when: \"\(always)\", until: \"\(never)\", do: hold}"

    private func holding(_ fixture: RunFixture) async throws -> String {
        try await fixture.expect(0, "run", "status", "--json").json()["holding"]?.string ?? ""
    }

    @Test func aHoldWhoseCollectorHasEndedSaysSo() async throws {
        try await RunFixture.with(profile: Self.profile(Self.hold)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            try await fixture.expect(0, "run", "collector", "stop", "mem")
            try await fixture.wait(for: "the silence") { try phases(run) == ["begin", "silent"] }
            #expect(try await holding(fixture).contains("; no value of mem.used for 00:0"))
            let action = try fixture.background("run", "action", "hello")
            try await action.waitForError("hello waits (ecr run release \"why\" lets it begin)")
            let status = try await fixture.expect(0, "run", "status").outputText
            #expect(status.contains("waits") && status.contains("hello"))
            #expect(status.split(separator: "\n").last?.contains("ecr run release \"why\"") == true)
            // Nothing is guessed: it holds until somebody says otherwise.
            #expect(try run.events(.actionStarted).isEmpty)
            try await fixture.expect(0, "run", "release", "no sensor any more")
            #expect(try await action.wait().status == 0)
            #expect(try await fixture.expect(0, "run", "status").outputText.contains(", released"))
        }
    }

    @Test func maxHoldCountsThroughAResume() async throws {
        let rule = Self.hold.dropLast() + ", max_hold: 1h}"
        try await RunFixture.with(profile: Self.profile(String(rule))) { fixture in
            let run = try await fixture.start()
            func seconds() async throws -> Int { Int(try await holding(fixture).suffix(2)) ?? 0 }
            try await fixture.wait(for: "four seconds") { try await seconds() >= 4 }
            let before = try await seconds()
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            #expect(try await seconds() >= before)
        }
    }

    @Test func aPausedRunMayBeReleased() async throws {
        try await RunFixture.with(profile: Self.profile(Self.hold)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            try await fixture.expect(0, "run", "pause")
            try await fixture.expect(0, "run", "release", "while nothing runs")
            #expect(try phases(run) == ["begin", "released"])
        }
    }

    @Test func rulesGoOnWhereAnEndHasFailed() async throws {
        let rule = "- {name: hot, when: \"heat.cpu > 85\", until: \"heat.cpu < 50\", do: hold}"
        try await withSensor(rule, "cpu=90", connection: ["keepalive": "1s"]) { fixture, run in
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            // The server is silent: that is noticed while the end is on its way.
            fixture.server.signalConnections(SIGSTOP)
            try await fixture.expect(69, "run", "complete")
            fixture.server.killConnections()
            try await fixture.wait(for: "the link") {
                try await fixture.expect(0, "run", "status", "--json").json()["connected"] == true
            }
            #expect(try run.state().status == .running)
            let action = try fixture.background("run", "action", "hello")
            try await action.waitForError("hello waits")
            try fixture.scratch.write("sensor", "cpu=20")
            #expect(try await action.wait().status == 0)
            // While no samples came that was told.
            #expect(try phases(run).filter { $0 != "silent" } == ["begin", "end"])
            // Those who look after a hold's time do so again, too.
            try fixture.scratch.write("sensor", "cpu=90")
            try await fixture.wait(for: "the rule again") { try phases(run).count { $0 == "begin" } == 2 }
            try await fixture.expect(0, "run", "collector", "stop", "heat")
            try await fixture.wait(for: "the silence") { try phases(run).last == "silent" }
            try await fixture.expect(0, "run", "release", "over")
        }
    }

    // MARK: Values

    @Test func aReadingThatIsNotRepeatedDecidesNothing() async throws {
        // One reading of the temperature, and then only after the file `again` is there.
        let command = "if [ -e again ]; then echo cpu=90 fan=1; else cat sensor; echo fan=1 >sensor; fi"
        try await withSensor("- {when: \"heat.cpu > 85\", for: 2s}", "cpu=90 fan=1", command) { fixture, run in
            func samples() throws -> Int64 { try run.state().job("0001-heat")?.samples ?? 0 }
            try await fixture.wait(for: "a sample") { try samples() > 0 }
            let seen = try samples()
            // Three seconds of samples in which nobody knows the temperature.
            try await fixture.wait(for: "samples") { try samples() > seen + 15 }
            #expect(try phases(run) == [])
            try fixture.scratch.write("again", "")
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
        }
    }

    // MARK: Ends

    /// With a mark that is open.
    private func withMark(_ body: (RunFixture, RunDirectory) async throws -> Void) async throws {
        let rule = "- {name: warm, when: \"\(Self.always)\", note: n}"
        try await RunFixture.with(profile: Self.profile(rule)) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            try await body(fixture, run)
            let marked = try run.events(.intervalMarked).map(\.data)
            try #require(marked.count == 1)
            let began = try run.events(.ruleFired).first?.data["at"]
            #expect(marked[0]["from"] == began && marked[0]["rule"] == "warm" && marked[0]["note"] == "n")
        }
    }

    @Test func anOpenMarkEndsWithARunThatLostItsTarget() async throws {
        try await withMark { fixture, run in
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            try await fixture.expect(1, "run", "complete", "--without-target")
            try await fixture.server.restart()
            try await fixture.expect(0, "run", "drain")
        }
    }

    @Test func anOpenMarkEndsWithAnAbortWithoutLink() async throws {
        try await withMark { fixture, run in
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            _ = try await fixture.ecr("run", "abort")
            #expect(try run.state().status == .aborted)
        }
    }

    @Test func anOpenMarkEndsWithAnAbortWithoutSupervisor() async throws {
        try await withMark { fixture, run in
            try await fixture.killSupervisor(of: run)
            _ = try await fixture.ecr("run", "abort")
            #expect(try run.state().status == .aborted)
        }
    }

    // MARK: Metrics

    /// An action that says what it is told by a file, line by line, until the file says `over`.
    private static func training(_ rules: String, _ file: String) -> String {
        """
        actions:
          train:
            commands:
              - |
                said=0; printf 'epoch 1 loss='
                while sleep 0.1; do
                  while read -r line; do
                    [ "$line" = over ] && exit 0
                    echo "$line"
                  done <'\(file)'
                  : >'\(file)'
                done
            metrics: {loss: {regex: 'loss=(\\S+)'}, speed: {regex: 'speed=(\\d+)', from: stderr}}
          hello: {commands: ["echo hello"]}
        rules:
          \(rules)
        """
    }

    private func withTraining(_ rules: String, _ body: (RunFixture, RunDirectory) async throws -> Void) async throws {
        let fixture = RunFixture(server: try await SSHServer.start(), scratch: try ScratchDirectory())
        let file = try fixture.scratch.write("words", "")
        try fixture.write(Self.training(rules, file))
        try await fixture.use { try await body($0, try await $0.start()) }
    }

    private static let diverged = "- {name: diverged, when: \"train.loss > 10\", do: cancel}"

    @Test func anActionThatDivergesIsCancelled() async throws {
        try await withTraining(Self.diverged) { fixture, run in
            for _ in 0..<2 {
                let action = try fixture.background("run", "action", "train")
                try await action.waitForOutput("epoch 1")
                try fixture.scratch.write("words", "2\nloss=3\nloss=12\n")
                let result = try await action.wait()
                #expect(result.status == 130 && result.outputText.contains("loss=12"))
                #expect(result.errorText.contains("rule diverged"))
                try fixture.scratch.write("words", "")
            }
            let cancelled = try run.events(.actionCancelled).map { $0.data["reason"]?.string }
            #expect(cancelled == Array(repeating: "rule diverged: train.loss 12 > 10", count: 2))
            try await fixture.wait(for: "the end of the rule") {
                try phases(run) == ["begin", "end", "begin", "end"]
            }
            #expect(try run.events(.ruleFired)[1].data["reason"] == "0001-train has ended")
            // The metrics of a cancelled action are taken as ever, and the run goes on.
            #expect(try run.state().job("0001-train")?.metrics != nil)
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "verify", "latest")
        }
    }

    @Test func aLineThatASupervisorHasNotSeenWholeCountsForTheNext() async throws {
        try await withTraining(Self.diverged) { fixture, run in
            try await fixture.expect(0, "run", "action", "train", "--detach")
            try await fixture.wait(for: "half a line") { try run.state().job("0001-train")?.stdoutBytes == 13 }
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            try fixture.scratch.write("words", "30\n")
            try await fixture.wait(for: "the end") { try run.state().job("0001-train")?.outcome == .cancelled }
            #expect(
                try run.events(.actionCancelled).first?.data["reason"] == "rule diverged: train.loss 30 > 10")
        }
    }

    @Test func aMarkOnAMetricEndsWithItsAction() async throws {
        try await withTraining("- {name: bad, when: \"train.loss == nan\"}") { fixture, run in
            let action = try fixture.background("run", "action", "train")
            try await action.waitForOutput("epoch 1")
            try fixture.scratch.write("words", "nan\n")
            try await fixture.wait(for: "the rule") { try phases(run) == ["begin"] }
            try fixture.scratch.write("words", "over\n")
            #expect(try await action.wait().status == 0)
            try await fixture.wait(for: "the mark") { try run.events(.intervalMarked).count == 1 }
            #expect(try run.events(.ruleFired).first?.data["values"] == "train.loss nan == nan")
        }
    }
}
