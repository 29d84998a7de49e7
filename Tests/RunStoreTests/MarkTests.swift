import EventLog
import JSON
import RunStore
import Testing

/// What is marked invalid, by the last mark that reaches it.
@Suite struct MarkTests {
    private var state = RunState()

    /// Three jobs of ten seconds each, from second 10, 20 and 30 on; the last one has no end. And a collector.
    init() {
        apply(0, .runCreated, [:])
        apply(5, .collectorStarted, ["collector": "load", "job": "0001-load"])
        for (second, job) in [(10, "0002-a"), (20, "0003-b")] {
            apply(second, .actionStarted, ["action": "x", "job": .string(job)])
            apply(second + 9, .actionCompleted, ["job": .string(job)])
        }
        apply(30, .actionStarted, ["action": "x", "job": "0004-c"])
    }

    private func time(_ second: Int) -> String { "2026-01-27T14:30:\(second < 10 ? "0" : "")\(second).000000Z" }

    private mutating func apply(_ second: Int, _ type: EventType, _ data: JSONObject) {
        let seq = state.checkpoint.seq
        state.apply(
            Event(
                seq: seq, time: time(second), boottimeNanoseconds: 0, boot: "b", type: type, data: data,
                previous: Event.noHash))
        state.checkpoint.seq = seq + 1
    }

    private mutating func mark(_ job: String, _ verdict: String, _ reason: String? = nil) {
        apply(50, .mark, ["job": .string(job), "verdict": .string(verdict), "reason": reason.map { .string($0) }])
    }

    private mutating func mark(_ from: Int, _ to: Int, _ verdict: String, _ reason: String = "why") {
        apply(
            50, .mark,
            [
                "from": .string(time(from)), "to": .string(time(to)), "verdict": .string(verdict),
                "reason": .string(reason),
            ])
    }

    private var reasons: [String?] { state.jobs.map { state.invalidity(of: $0) } }

    @Test func nothingIsInvalidAtFirst() {
        #expect(reasons == [nil, nil, nil, nil])
        #expect(state.jobs.allSatisfy { state.isValid($0) })
    }

    @Test mutating func aJob() {
        mark("0002-a", "invalid", "one")
        mark("0001-load", "invalid", "sensor")
        mark("0009-z", "invalid", "no such job")
        #expect(reasons == ["sensor", "one", nil, nil])
        mark("0002-a", "invalid", "two")
        #expect(reasons[1] == "two")
        mark("0002-a", "ok")
        #expect(reasons == ["sensor", nil, nil, nil])
    }

    @Test mutating func aSpanReachesWhatItTouches() {
        mark(15, 25, "invalid")
        #expect(reasons == [nil, "why", "why", nil])
        mark(29, 30, "invalid", "between")
        #expect(reasons == [nil, "why", "why", nil])
        mark(40, 45, "invalid", "later")
        #expect(reasons == [nil, "why", "why", "later"])
    }

    @Test mutating func anOkaySpanTakesBackAsFarAsItReaches() {
        mark(10, 40, "invalid")
        mark(18, 22, "ok")
        // Both jobs still reach into what is left.
        #expect(reasons == [nil, "why", "why", "why"])
        #expect(state.invalidTimes.spans.map { [$0.from, $0.to] } == [[time(10), time(18)], [time(22), time(40)]])
        mark(0, 21, "ok")
        #expect(reasons == [nil, nil, "why", "why"])
        mark(22, 40, "ok")
        #expect(reasons == [nil, nil, nil, nil])
        #expect(state.invalidTimes.spans.isEmpty)
    }

    @Test mutating func theLastOfBothKindsCounts() {
        mark(10, 40, "invalid", "span")
        mark("0002-a", "ok")
        #expect(reasons == [nil, nil, "span", "span"])
        mark(15, 16, "invalid", "again")
        #expect(reasons == [nil, "again", "span", "span"])
        mark("0003-b", "invalid", "itself")
        mark(19, 30, "ok")
        #expect(reasons == [nil, "again", nil, "span"])
    }

    @Test mutating func theManifestKeepsThem() throws {
        mark(10, 40, "invalid", "span")
        mark("0002-a", "ok")
        mark("0003-b", "invalid", "itself")
        let manifest = state.json(id: "r")
        #expect(manifest["invalid_times"]?.array?.count == 1)
        #expect(state.json(of: state.jobs[2])["invalid"] == "itself")
        #expect(state.json(of: state.jobs[1])["invalid"] == nil)
    }
}
