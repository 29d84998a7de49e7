import JSON
import Testing

@testable import RunStore

@Suite struct SamplingStateTests {
    private func rows(_ ticks: Int64...) -> JSON {
        .array(
            ticks.map {
                ["tick": .int($0), "boottime_s": .double(Double($0) + 0.5), "time": .string("t\($0)")]
            })
    }

    @Test func everyTickIsASampleSkippedOrLost() {
        var state = SamplingState()
        state.apply(output: ["rows": rows(0, 1)])
        #expect(state.nextTick == 2 && state.lastTick == 1 && state.lastUptime == 1.5 && state.lastTime == "t1")
        state.apply(output: ["rows": rows(5), "skipped": [[2, 4], [6, 6]]])
        #expect(state.nextTick == 7 && state.overruns == 4 && state.lost == 0)
        state.apply(gap: ["samples": 3, "first_tick": 7, "last_tick": 9])
        #expect(state.nextTick == 10 && state.lost == 3 && !state.isTailRecorded)
        state.apply(gap: ["samples": 20])
        #expect(state.nextTick == 10 && state.lost == 3 && state.isTailRecorded)
    }

    @Test func anUnfinishedSampleIsOneUntilMoreComes() {
        var state = SamplingState()
        state.apply(output: ["rows": rows(0), "unfinished_tick": 1])
        #expect(state.unfinishedTick == 1)
        state.apply(output: ["rows": rows(1)])
        #expect(state.unfinishedTick == nil)
    }

    @Test func numbersFromAForeignFileAreNoTrap() {
        var state = SamplingState()
        state.apply(output: ["rows": rows(.max), "skipped": [[0, .int(.max)], [.int(.min), .int(.max)], [3], [], 7]])
        state.apply(gap: ["samples": .int(.max), "last_tick": .int(.max)])
        state.apply(gap: ["samples": .int(.max), "last_tick": .int(.max)])
    }

    @Test func itIsItsJSON() {
        var state = SamplingState()
        state.apply(output: ["rows": rows(0, 4), "skipped": [[1, 2]], "unfinished_tick": 5])
        state.apply(gap: ["samples": 1, "first_tick": 3, "last_tick": 3])
        #expect(SamplingState(json: state.json) == state)
        #expect(SamplingState(json: nil) == SamplingState())
    }
}
