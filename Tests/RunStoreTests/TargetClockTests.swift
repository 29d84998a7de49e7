import JSON
import LinuxSystem
import Testing

@testable import RunStore

@Suite struct TargetClockTests {
    private func comparison(at uptime: Double, zero: String, offset: Double?, bound: Double = 0.001) -> JSONObject {
        [
            "target_uptime_s": .double(uptime), "boottime_zero": .string("2026-01-27T14:\(zero)Z"),
            "boottime_uncertainty_s": .double(bound), "offset_s": offset.map { .double($0) },
            "uncertainty_s": .double(bound),
        ]
    }

    private func clock(_ comparisons: JSONObject...) -> TargetClock {
        comparisons.reduce(into: TargetClock()) { $0.add($1) }
    }

    @Test func oneComparisonHoldsForAllOfABoot() {
        let clock = clock(comparison(at: 100, zero: "00:00.000000", offset: 2))
        #expect(clock.time(atUptime: 5) == "2026-01-27T14:00:05.000000Z")
        #expect(clock.time(atUptime: 500) == "2026-01-27T14:08:20.000000Z")
        #expect(clock.targetTime(atUptime: 5) == "2026-01-27T14:00:07.000000Z")
        #expect(clock.time(atUptime: 1e300) == nil)
    }

    @Test func aDriftIsSpreadOverTheTimeBetweenTwoComparisons() {
        let clock = clock(
            comparison(at: 1000, zero: "00:00.000000", offset: 2),
            comparison(at: 2000, zero: "00:00.100000", offset: 1.9))
        #expect(clock.time(atUptime: 900) == "2026-01-27T14:15:00.000000Z")
        #expect(clock.time(atUptime: 1500) == "2026-01-27T14:25:00.050000Z")
        #expect(clock.time(atUptime: 3000) == "2026-01-27T14:50:00.100000Z")
        #expect(clock.targetTime(atUptime: 1500) == "2026-01-27T14:25:02.000000Z")
    }

    /// After a reconnect BusyBox's `date` tells half a second at first.
    @Test func aCoarseComparisonTakesNothingFromAFineOne() throws {
        let fine = comparison(at: 1000, zero: "00:00.000000", offset: 0.1, bound: 0.002)
        let clock = clock(fine, comparison(at: 1010, zero: "00:00.000000", offset: -0.25, bound: 0.5))
        let shown = try #require(clock.targetTime(atUptime: 1012).flatMap { Clock.microseconds(iso8601: $0) })
        let truth = try #require(Clock.microseconds(iso8601: "2026-01-27T14:16:52.100000Z"))
        #expect((shown - truth).magnitude < 10_000)
        // A step is not explained away.
        let stepped = self.clock(fine, comparison(at: 1010, zero: "00:00.000000", offset: -3, bound: 0.5))
        #expect(stepped.targetTime(atUptime: 1012) == "2026-01-27T14:16:49.000000Z")
    }

    @Test func aStepIsNotSpread() {
        let clock = clock(
            comparison(at: 1000, zero: "00:00.000000", offset: 0),
            comparison(at: 1060, zero: "00:10.000000", offset: 0))
        #expect(clock.time(atUptime: 1029) == "2026-01-27T14:17:09.000000Z")
        #expect(clock.time(atUptime: 1031) == "2026-01-27T14:17:21.000000Z")
    }

    @Test func theTargetsStepIsToldFromDriftAndFromTheControllers() throws {
        let clock = clock(comparison(at: 1000, zero: "00:00.000000", offset: 0))
        let step = try #require(clock.step(to: comparison(at: 1060, zero: "00:00.000000", offset: -3)))
        #expect((step + 3).magnitude < 0.001)
        #expect(clock.step(to: comparison(at: 1060, zero: "00:00.000000", offset: 0.02)) == nil)
        // The controller has stepped by ten seconds: both of its readings move.
        #expect(clock.step(to: comparison(at: 1060, zero: "00:10.000000", offset: -10)) == nil)
        // Whole seconds can't tell half a second.
        #expect(clock.step(to: comparison(at: 1060, zero: "00:00.000000", offset: 0.4, bound: 0.5)) == nil)
        #expect(clock.step(to: comparison(at: 1060, zero: "00:00.000000", offset: nil)) == nil)
    }

    /// A day of comparisons, a drift of 50 ppm, and a step of a minute in the middle.
    @Test func theBeginningOfALongRunIsStillKnownAtItsEnd() throws {
        var clock = TargetClock()
        let begin = try #require(Clock.microseconds(iso8601: "2026-01-27T14:00:00.000000Z"))
        func zero(_ uptime: Int) -> Int64 { begin + Int64(uptime) * 50 + (uptime >= 43_200 ? 60_000_000 : 0) }
        for uptime in stride(from: 0, through: 86_400, by: 60) {
            clock.add([
                "target_uptime_s": .double(Double(uptime)),
                "boottime_zero": .string(Clock.iso8601(microseconds: zero(uptime) + Int64(uptime % 7))),
                "boottime_uncertainty_s": 0.001, "offset_s": 0, "uncertainty_s": 0.001,
            ])
        }
        for uptime in [30, 7_230, 43_080, 43_320, 60_030, 86_390] {
            let time = try #require(clock.time(atUptime: Double(uptime)).flatMap { Clock.microseconds(iso8601: $0) })
            #expect((time - zero(uptime) - Int64(uptime) * 1_000_000).magnitude < 1000, "\(uptime)")
        }
    }

    @Test func theManifestKeepsIt() {
        var clock = TargetClock()
        for index in 0..<100 { clock.add(comparison(at: Double(index), zero: "00:00.000000", offset: nil)) }
        let restored = TargetClock(json: clock.json)
        #expect(restored == clock)
        #expect(restored.json.array?.count == 64)
        #expect(TargetClock(json: .null).isEmpty)
    }
}
