import EventLog
import JSON
import Testing

@testable import RunStore

/// Aggregates, and what the fold makes of metrics and windows.
@Suite struct MetricStateTests {
    @Test func aggregatesAreThoseOfNumPy() throws {
        let all = try #require(Aggregates([3, 1, 2, 10]))
        #expect(all.count == 4 && all.mean == 4 && all.min == 1 && all.max == 10 && all.median == 2.5)
        // numpy.percentile([3, 1, 2, 10], [95, 99])
        #expect(abs(all.p95 - 8.95) < 1e-12 && abs(all.p99 - 9.79) < 1e-12)
        #expect(all.last == .double(10))
        let one = try #require(Aggregates([5], last: "5.0000000000000000001"))
        #expect([one.mean, one.min, one.max, one.median, one.p95, one.p99] == [5, 5, 5, 5, 5, 5])
        #expect(one.last == "5.0000000000000000001")
        #expect(Aggregates([]) == nil)
        #expect(Aggregates([1.7e308, -1.7e308]) == nil)
        #expect(Aggregates([1.7e308, 1.7e308])?.mean == 1.7e308)
        #expect(Aggregates(json: all.json) == all)
        #expect(Aggregates(json: try JSON(parsing: one.json.text)) == one)
    }

    private func state(_ events: [(EventType, JSONObject)]) -> RunState {
        var state = RunState()
        for (index, (type, data)) in events.enumerated() {
            state.apply(
                Event(
                    seq: Int64(index), time: "2026-01-27T14:30:0\(index % 10).000000Z", boottimeNanoseconds: 0,
                    boot: "b",
                    type: type, data: data, previous: Event.noHash))
        }
        return state
    }

    private func job(_ number: Int, _ values: [Double], _ end: EventType = .actionCompleted) -> [(
        EventType, JSONObject
    )] {
        let id = JSON.string("000\(number)-a")
        var entry: JSONObject = ["unit": "ms"]
        entry.merge(Aggregates(values)?.members ?? [:])
        return [
            (.actionStarted, ["job": id, "action": "a", "invocation": "action"]),
            (
                .metricsDerived,
                ["job": id, "action": "a", "derivation": 1, "by": "end", "metrics": ["t": .object(entry)]]
            ),
            (end, ["job": id, "action": "a", "started_target": 1.5, "ended_target": 2.5]),
        ]
    }

    @Test func anActionCountsOneNumberAJob() throws {
        let events = job(1, [1, 3]) + job(2, [4]) + job(3, [100], .actionFailed) + job(4, [200])
        let state = state(events + [(.mark, ["job": "0004-a", "verdict": "invalid", "reason": "x"])])
        let metric = try #require(state.actionMetrics.first)
        #expect(state.actionMetrics.count == 1 && metric.action == "a" && metric.name == "t" && metric.unit == "ms")
        #expect(metric.aggregates.count == 2 && metric.aggregates.mean == 3 && metric.aggregates.last == .double(4))
        #expect(state.json(id: "")["metrics"]?["a"]?["t"]?["count"] == 2)
        #expect(state.job("0001-a")?.span == 1.5...2.5)
    }

    @Test func theLastDerivationCountsAsAWhole() throws {
        let again: JSONObject = [
            "job": "0001-a", "derivation": 7, "by": "recompute",
            "metrics": ["u": .object(Aggregates([9])?.members ?? [:])],
            "missing": [["name": "t", "reason": "nothing matches", "required": false]],
        ]
        let metrics = try #require(state(job(1, [1]) + [(.metricsDerived, again)]).job("0001-a")?.metrics)
        #expect(metrics.derivation == 7 && metrics.by == "recompute")
        #expect(metrics.metrics.map(\.name) == ["u"])
        #expect(metrics.missing.map(\.name) == ["t"] && metrics.missing[0].reason == "nothing matches")
    }

    @Test func energyIsToldForEachThing() throws {
        let count: JSONObject = [
            "job": "0001-a", "derivation": 1, "by": "end",
            "metrics": ["n": .object(JSONObject(["is_count": true], Aggregates([20])?.members ?? [:]))],
        ]
        var field: JSONObject = ["collector": "p", "field": "w", "unit": "W"]
        field.merge(Aggregates([5, 7])?.members ?? [:])
        field["energy_j"] = 10.0
        field["covered_s"] = 2.0
        let window: JSONObject = [
            "job": "0001-a", "from": "2026-01-27T14:30:00.000000Z", "to": "2026-01-27T14:30:02.000000Z",
            "duration_s": 2.0, "fields": [.object(field)],
        ]
        let state = state(job(1, [1]) + [(.metricsDerived, count), (.actionWindow, window)])
        let job = try #require(state.job("0001-a"))
        #expect(job.metrics?.count == 20)
        #expect(job.window?.fields.first?.perCount(20) == 0.5)
        #expect(job.window?.fields.first?.perCount(0) == nil)
        #expect(job.json["window"]?["fields"]?.array?.first?["energy_per_count_j"] == .double(0.5))
    }

    @Test func theManifestGivesAllOfItBack() throws {
        let started: JSONObject = [
            "job": "0009-p", "collector": "p", "fields": [["name": "w", "unit": "W"], ["name": "n"]],
        ]
        let odd: JSONObject = ["job": "0009-p", "collector": "p", "reason": "it is not JSON", "tick": 3]
        var clock: JSONObject = ["boot_id": "B", "boottime_zero": "2026-01-27T14:00:00.000000Z"]
        clock["offset_s"] = 2.5
        let state = state(
            job(1, [1, 2]) + [
                (.collectorStarted, started), (.collectorError, odd), (.collectorError, odd),
                (.collectorError, ["job": "0009-p", "collector": "p", "reason": "the command ended by itself"]),
                (.collectorOutput, ["job": "0009-p", "collector": "p", "rows": [["tick": 0]], "unparsed": 1]),
                (.clockOffset, clock),
            ])
        let restored = try #require(RunState(json: try JSON(parsing: state.json(id: "").text)))
        for state in [state, restored] {
            #expect(state.collectors.problems(of: "p") == ["it is not JSON"])
            #expect(state.collectors.fields(of: "p").map(\.unit) == ["W", nil])
            #expect(state.job("0009-p")?.unparsed == 1)
            #expect(state.clock(ofBoot: "B")?.time(atUptime: 1) == "2026-01-27T14:00:01.000000Z")
            #expect(state.clock(ofBoot: "B")?.targetTime(atUptime: 1) == "2026-01-27T14:00:03.500000Z")
            #expect(state.job("0001-a")?.metrics?.metrics.first?.aggregates.mean == 1.5)
        }
        #expect(restored == state)
    }
}

extension JSONObject {
    fileprivate init(_ first: JSONObject, _ second: JSONObject) {
        self = first
        merge(second)
    }
}
