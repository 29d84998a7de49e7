import EventLog
import JSON
import Testing

@testable import RunStore

@Suite struct RunStateTests {
    private func fold(_ events: [(EventType, JSONObject)]) -> RunState {
        var state = RunState()
        for (index, event) in events.enumerated() {
            state.apply(
                Event(
                    seq: Int64(index), time: "2026-01-27T14:30:0\(index % 10).000000Z", boottimeNanoseconds: 0,
                    boot: "b",
                    type: event.0, data: event.1, previous: Event.noHash))
        }
        return state
    }

    private let created: (EventType, JSONObject) = (
        .runCreated,
        [
            "uuid": "u", "short_id": "abcd", "name": "n", "profile": "p", "profile_file": "/p.yaml", "tags": ["x"],
            "parameters": ["size": "3"],
        ]
    )
    private let action: (EventType, JSONObject) = (
        .actionStarted, ["action": "hash", "job": "0001-hash", "attempt": 1, "spool": "/s", "target_boot": "tb"]
    )

    @Test func creation() {
        let state = fold([created])
        #expect(state.status == .created)
        #expect(state.shortID == "abcd" && state.name == "n" && state.profileFile == "/p.yaml")
        #expect(state.tags == ["x"] && state.parameters["size"]?.string == "3")
        #expect(RunCondition.word(state, hasSupervisor: false) == "created")
    }

    @Test func rulesThatFlickerKeepTheManifestSmall() throws {
        let begin: (EventType, JSONObject) = (
            .ruleFired, ["rule": "r", "do": "mark", "phase": "begin", "at": "2026-01-27T14:30:00.000000Z", "note": "n"]
        )
        let marked: (EventType, JSONObject) = (.intervalMarked, ["rule": "r", "from": "a", "to": "b"])
        let state = fold([created] + Array(repeating: [begin, marked], count: 500).flatMap(\.self) + [begin])
        #expect(state.rules.marked == 500 && state.rules.lastMarked.count == 20)
        let again = RunState(json: state.json(id: "x"))
        #expect(again?.rules == state.rules)
        #expect(
            state.rules.closingMarks(at: "2026-01-27T14:31:00.000000Z") == [
                [
                    "rule": "r", "from": "2026-01-27T14:30:00.000000Z", "to": "2026-01-27T14:31:00.000000Z",
                    "note": "n",
                ]
            ])
    }

    @Test func whatDidNotComeInTimeHasNotChanged() {
        let start: (EventType, JSONObject) = (
            .targetFacts, ["at": "start", "hostname": "a", "own": ["slow": ["text": "x"], "two": ["text": "y"]]]
        )
        let end: (EventType, JSONObject) = (
            .targetFacts, ["at": "end", "hostname": "b", "own": ["two": ["text": "z"]], "incomplete": true]
        )
        let baselines = fold([created, start, end]).baselines
        #expect(baselines.changes.map(\.name) == ["hostname", "own two text"] && baselines.areIncomplete)
    }

    /// A fetch that has begun may never end: only what says so settles it.
    @Test func whatHasNotComeIsMissingUntilAllIsHere() throws {
        let lost: (EventType, JSONObject) = (
            .artifactPullFailed,
            [
                "job": "0001-hash", "remote": "$ECR_OUT", "reason": "too much", "limit": "max_files",
                "only_copy": true,
            ]
        )
        let again: (EventType, JSONObject) = (
            .artifactPullStarted, ["job": "0001-hash", "entry": "$ECR_OUT", "files": 1, "bytes": 1]
        )
        let open = fold([created, (.runStarted, ["spool": "/s"]), action, lost, again, (.runAborted, [:])])
        #expect(open.unfetched.map(\.id) == ["0001-hash"] && open.mayBeDrained)
        let output = try #require(open.unfetched.first?.unfetched)
        #expect(output.reason == "too much" && output.limit == "max_files" && !output.isGone)
        #expect(RunState(json: open.json(id: "")) == open)
        let settled = fold([created, action, lost, again, (.outputsFetched, ["job": "0001-hash"]), (.runAborted, [:])])
        #expect(settled.unfetched.isEmpty && !settled.mayBeDrained)
    }

    @Test func lifecycle() {
        let started = fold([created, (.runStarted, ["spool": "/s"])])
        #expect(started.status == .running && started.spool == "/s" && started.started != nil)
        #expect(RunCondition.word(started, hasSupervisor: true) == "running")
        #expect(RunCondition.word(started, hasSupervisor: false) == "interrupted")
        let paused = fold([created, (.runStarted, [:]), ("run_paused", [:])])
        #expect(paused.status == .paused)
        #expect(RunCondition.word(paused, hasSupervisor: false) == "interrupted")
        let completed = fold([created, (.runStarted, [:]), (.runCompleted, [:])])
        #expect(completed.status == .completed && completed.isOver)
        #expect(RunCondition.word(completed, hasSupervisor: false) == "completed")
        let aborted = fold([created, (.runAborted, ["reason": "why"])])
        #expect(aborted.status == .aborted && aborted.endReason == "why" && aborted.isOver)
    }

    @Test(arguments: ["running", "paused"]) func resuming(_ word: String) {
        let interrupted = [
            created, (.runStarted, [:]), (.connectionEstablished, ["host": "h"]), (.runInterrupted, [:]),
        ]
        #expect(fold(interrupted).isInterruptionRecorded)
        #expect(!fold(interrupted).isConnected)
        let resumed = fold(interrupted + [(.runResumed, ["from": "interrupted", "state": .string(word)])])
        #expect(resumed.status.rawValue == word)
        #expect(!resumed.isInterruptionRecorded)
    }

    @Test func connection() {
        #expect(fold([created, (.connectionEstablished, ["host": "h"])]).isConnected)
        let lost = fold([created, (.connectionEstablished, ["host": "h"]), (.connectionLost, [:])])
        #expect(!lost.isConnected && lost.connection["host"]?.string == "h")
    }

    @Test(arguments: [
        (EventType.actionCompleted, JobState.Outcome.completed), (.actionFailed, .failed),
        (.actionCancelled, .cancelled), (.actionUnknown, .unknown),
    ])
    func endsOfActions(_ type: EventType, _ outcome: JobState.Outcome) {
        let open = fold([created, action])
        #expect(open.openJobs.map(\.id) == ["0001-hash"])
        #expect(open.job("0001-hash")?.spool == "/s" && open.job("0001-hash")?.boot == "tb")
        let state = fold([
            created, action, (type, ["job": "0001-hash", "exit": 3, "reason": "r", "duration_s": 1.5]),
        ])
        #expect(state.openJobs.isEmpty)
        let job = state.job("0001-hash")
        #expect(job?.outcome == outcome && job?.exit == 3 && job?.reason == "r" && job?.duration == 1.5)
        #expect(state.nextJobNumber == 2)
    }

    @Test func output() {
        let state = fold([
            created, action,
            (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 0, "length": 5]),
            (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 5, "length": 7]),
            (.commandOutput, ["job": "0001-hash", "stream": "stderr", "offset": 0, "length": 2]),
        ])
        #expect(state.jobs[0].stdoutBytes == 12 && state.jobs[0].stderrBytes == 2)
    }

    @Test func collectors() {
        let start: (EventType, JSONObject) = (.collectorStarted, ["collector": "load", "job": "0001-load"])
        let output: (EventType, JSONObject) = (
            .collectorOutput, ["job": "0001-load", "rows": [["1"], ["2"]], "offset": 0, "length": 9]
        )
        let running = fold([created, start, output])
        #expect(running.jobs[0].kind == .collector && running.jobs[0].samples == 2)
        #expect(running.jobs[0].stdoutBytes == 9)
        #expect(fold([created, start, (.collectorStopped, ["job": "0001-load"])]).jobs[0].outcome == .stopped)
        let unknown = fold([created, start, (.collectorStopped, ["job": "0001-load", "outcome": "unknown"])])
        #expect(unknown.jobs[0].outcome == .unknown)
    }

    @Test func notesAndCorrections() {
        let notes: [(EventType, JSONObject)] = (1...30).map { (.note, ["text": .string("n\($0)"), "at": "t"]) }
        let state = fold(
            [created] + notes + [
                (.edit, ["seq": 30, "text": "last"]), (.edit, ["seq": 2, "text": "gone from here"]),
                (.edit, ["seq": 30, "text": "really last"]), (.edit, ["text": "of nothing"]),
            ])
        #expect(state.notes == 30 && state.edits == 4)
        #expect(state.recentNotes.map(\.seq) == Array(11...30))
        #expect(state.recentNotes.last?.text == "really last" && state.recentNotes.last?.edit == 33)
        #expect(state.recentNotes.first?.text == "n11" && state.recentNotes.first?.edit == nil)
        let long = fold([created, (.note, ["text": .string(String(repeating: "ü", count: 5000))])])
        #expect(long.recentNotes[0].text == String(repeating: "ü", count: 1000) + "…")
    }

    @Test func anExportIsOneUntilMoreIsRecorded() {
        let exported: (EventType, JSONObject) = (.exported, ["file": "f"])
        let over: [(EventType, JSONObject)] = [created, (.runStarted, [:]), (.runCompleted, [:])]
        #expect(!fold([created, exported]).isExported)
        #expect(!fold(over).isExported)
        #expect(fold(over + [exported]).isExported)
        #expect(!fold(over + [exported, (.note, ["text": "t"])]).isExported)
        #expect(fold(over + [exported, (.note, ["text": "t"]), exported]).isExported)
    }

    @Test func notesTagsArtifactsAndLedger() {
        let state = fold([
            created, (.note, ["text": "t"]), ("tag_added", ["tag": "y"]), ("tag_added", ["tag": "y"]),
            ("tag_removed", ["tag": "x"]), (.artifactPulled, ["path": "artifacts/a"]), (.artifactPullFailed, [:]),
            (.targetFacts, ["kernel": "6"]), (.ledger, ["complete_percent": 100]), ("from_the_future", ["job": "?"]),
        ])
        #expect(state.notes == 1 && state.tags == ["y"] && state.artifacts.count == 1 && state.failedPulls == 1)
        #expect(state.facts["kernel"]?.string == "6" && state.ledger?["complete_percent"]?.int == 100)
        #expect(state.jobs.isEmpty)
    }
}
