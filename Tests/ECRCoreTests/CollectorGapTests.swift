import EventLog
import JSON
import RunStore
import Testing

@testable import ECRCore

/// What is missing behind a collector's last sample, for each way in which it can end.
@Suite struct CollectorGapTests {
    /// A time on some day, `14:00:00` and so many seconds.
    private func time(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return "2026-01-27T14:\(two(seconds / 60)):\(two(seconds % 60)).000000Z"
    }

    /// A collector whose jobs follow one another, one sample a second.
    private func jobs(_ events: [(EventType, JSONObject, Int)]) -> [JobState] {
        var state = RunState()
        for (index, (type, data, seconds)) in events.enumerated() {
            state.apply(
                Event(
                    seq: Int64(index), time: time(seconds), boottimeNanoseconds: 0, boot: "", type: type, data: data,
                    previous: ""))
        }
        return state.jobs
    }

    private func start(_ job: String, at seconds: Int) -> (EventType, JSONObject, Int) {
        (.collectorStarted, ["job": .string(job), "collector": "c"], seconds)
    }

    private func sample(_ job: String, at seconds: Int, tick: Int64 = 0) -> (EventType, JSONObject, Int) {
        let row: JSON = [
            "tick": .int(tick), "boottime_s": .double(Double(seconds)), "time": .string(time(seconds)),
        ]
        return (
            .collectorOutput, ["job": .string(job), "offset": 0, "length": 1, "rows": [row]], seconds
        )
    }

    private func end(_ job: String, _ data: JSONObject, at seconds: Int) -> (EventType, JSONObject, Int) {
        var all: JSONObject = ["job": .string(job)]
        all.merge(data)
        return (.collectorStopped, all, seconds)
    }

    private let rebooted: JSONObject = ["outcome": "unknown", "reason": "the target was rebooted"]

    @Test func betweenTheLastSampleAndTheNextJobsFirst() {
        let jobs = jobs([start("1-c", at: 0), sample("1-c", at: 5), end("1-c", rebooted, at: 20)])
        let gaps = CollectorGap.behind(jobs, .sample(at: time(45)), interval: 1)
        #expect(gaps.count == 1)
        #expect(
            gaps.first?.data == [
                "target": "target", "collector": "c", "job": "1-c", "from": .string(time(5)), "to": .string(time(45)),
                "reason": "the target was rebooted", "samples": 39,
            ])
    }

    @Test func untilNowWhereNobodySamplesAgain() {
        let jobs = jobs([start("1-c", at: 0), sample("1-c", at: 5), end("1-c", rebooted, at: 20)])
        #expect(CollectorGap.behind(jobs, .nothing(until: time(45)), interval: 1).map(\.samples) == [40])
        #expect(CollectorGap.behind(jobs, .nothing(until: time(45)), interval: 60).isEmpty)
    }

    @Test func aJobWithoutASampleIsMissedFromItsStart() {
        let jobs = jobs([start("1-c", at: 0), end("1-c", rebooted, at: 20)])
        let gaps = CollectorGap.behind(jobs, .sample(at: time(10)), interval: 1)
        #expect(gaps.map(\.from) == [time(0)] && gaps.map(\.samples) == [10])
    }

    @Test func deathsInARowLeaveNothingOut() {
        let jobs = jobs([
            start("1-c", at: 0), sample("1-c", at: 5), end("1-c", rebooted, at: 10), start("2-c", at: 20),
            end("2-c", rebooted, at: 30), start("3-c", at: 40),
        ])
        let gaps = CollectorGap.behind(jobs.dropLast(), .sample(at: time(40)), interval: 1)
        #expect(gaps.map(\.from) == [time(5), time(20)])
        #expect(gaps.map(\.to) == [time(20), time(40)])
        #expect(gaps.map(\.samples) == [14, 20])
    }

    @Test func whatIsOnRecordIsNotRecordedAgain() {
        let gap: (EventType, JSONObject, Int) = (.collectorGap, ["job": "1-c", "samples": 14], 20)
        let jobs = jobs([start("1-c", at: 0), sample("1-c", at: 5), end("1-c", rebooted, at: 10), gap])
        #expect(CollectorGap.behind(jobs, .nothing(until: time(40)), interval: 1).isEmpty)
    }

    @Test func whoIsStoppedMissesNothing() {
        let jobs = jobs([start("1-c", at: 0), sample("1-c", at: 5), end("1-c", ["outcome": "stopped"], at: 6)])
        #expect(CollectorGap.behind(jobs, .nothing(until: time(40)), interval: 1).isEmpty)
        #expect(CollectorGap.behind(jobs, .nothing(until: time(40)), interval: nil).isEmpty)
    }

    @Test(arguments: [(Int64(0), 0), (1, 0), (127, 1), (128, 0), (137, 1)]) func aStreamMayEndByItself(
        exit: Int64, gaps: Int
    ) {
        let jobs = jobs([
            start("1-c", at: 0), sample("1-c", at: 5),
            end("1-c", ["outcome": "stopped", "reason": "it ended", "exit": .int(exit)], at: 6),
        ])
        let found = CollectorGap.behind(jobs, .nothing(until: time(40)), interval: nil)
        #expect(found.count == gaps)
        #expect(found.allSatisfy { $0.samples == nil })
        // A sampler never ends by itself.
        #expect(CollectorGap.behind(jobs, .nothing(until: time(40)), interval: 1).count == 1)
    }

    // MARK: At the end of a sampler that was stopped

    private func atEnd(
        of events: [(EventType, JSONObject, Int)], lostBytes: Int64 = 0, uptime: Double, interval: Double?
    ) throws -> CollectorGap? {
        CollectorGap(
            atEndOf: try #require(jobs(events).first), lostBytes: lostBytes, uptime: uptime, time: time(59),
            interval: interval)
    }

    @Test func ticksThatWereDueAndAreNotThere() throws {
        let events = [start("1-c", at: 0), sample("1-c", at: 5, tick: 5)]
        #expect(try atEnd(of: events, uptime: 25.5, interval: 1)?.samples == 19)
        // Within what a slow target may be late.
        #expect(try atEnd(of: events, uptime: 7.9, interval: 1) == nil)
        #expect(try atEnd(of: events, uptime: 30, interval: 20) == nil)
        #expect(try atEnd(of: events, uptime: 25.5, interval: nil) == nil)
        #expect(try atEnd(of: events, uptime: .infinity, interval: 1) == nil)
    }

    @Test func skippedTicksWereNotDue() throws {
        let skipped: (EventType, JSONObject, Int) = (
            .collectorOutput, ["job": "1-c", "offset": 1, "length": 1, "rows": [], "skipped": [[6, 20]]], 22
        )
        let events = [start("1-c", at: 0), sample("1-c", at: 5, tick: 5), skipped]
        #expect(try atEnd(of: events, uptime: 22, interval: 1) == nil)
    }

    private func unfinished(_ tick: Int64, since uptime: Double) -> (EventType, JSONObject, Int) {
        (
            .collectorOutput,
            [
                "job": "1-c", "offset": 1, "length": 1, "rows": [], "unfinished_tick": .int(tick),
                "unfinished_since": .double(uptime),
            ], 22
        )
    }

    @Test func aSampleThatIsBeingTakenIsNotMissing() throws {
        let events = [start("1-c", at: 0), sample("1-c", at: 5, tick: 5), unfinished(6, since: 6)]
        #expect(try atEnd(of: events, uptime: 7.9, interval: 1) == nil)
        // As slow as one before.
        let skipped: (EventType, JSONObject, Int) = (
            .collectorOutput, ["job": "1-c", "offset": 1, "length": 1, "rows": [], "skipped": [[6, 20]]], 22
        )
        let slow = [start("1-c", at: 0), sample("1-c", at: 5, tick: 5), skipped, unfinished(21, since: 21)]
        #expect(try atEnd(of: slow, uptime: 50, interval: 1) == nil)
        #expect(try atEnd(of: slow, uptime: 60, interval: 1)?.samples == 40)
    }

    @Test func aHungSampleIsMissingAndSoAreTheTicksBehindIt() throws {
        let events = [start("1-c", at: 0), sample("1-c", at: 5, tick: 5), unfinished(6, since: 6)]
        let gap = try atEnd(of: events, uptime: 50.5, interval: 1)
        #expect(gap?.samples == 45 && gap?.reason == "a sample had not ended")
        #expect(gap?.from == time(5) && gap?.ticks == nil)
        // The first one of all.
        let first = [start("1-c", at: 0), unfinished(0, since: 1)]
        #expect(try atEnd(of: first, uptime: 10, interval: 1)?.samples == 10)
    }

    @Test func theIntervalIsThatOfTheTarget() throws {
        let rounded: (EventType, JSONObject, Int) = (
            .collectorStarted, ["job": "1-c", "collector": "c", "interval_s": 2], 0
        )
        let events = [rounded, sample("1-c", at: 10, tick: 5)]
        #expect(try atEnd(of: events, uptime: 30.5, interval: 0.5)?.samples == 9)
        let dead = jobs(events + [end("1-c", rebooted, at: 20)])
        #expect(CollectorGap.behind(dead, .nothing(until: time(30)), interval: 0.5).map(\.samples) == [10])
    }

    @Test func lostBytesAreAGapEvenOfAStream() throws {
        let events = [start("1-c", at: 0), sample("1-c", at: 5)]
        let gap = try atEnd(of: events, lostBytes: 7, uptime: 6, interval: nil)
        #expect(gap?.reason == "the target's spool has lost 7 bytes")
        #expect(gap?.from == time(5) && gap?.to == time(59) && gap?.samples == nil)
    }
}
