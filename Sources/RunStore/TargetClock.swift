package import JSON
import LinuxSystem

/// What the comparisons of the clocks in one boot of the target tell: places its uptimes on the controller's time base.
///
/// Between two comparisons the time is interpolated, before the first and behind the last one of them holds. Where a clock
/// has stepped in between, the nearer one does.
package struct TargetClock: Sendable, Equatable {
    /// In the order of their uptimes.
    fileprivate var readings: [Reading] = []

    fileprivate struct Reading: Sendable, Equatable {
        /// Seconds of the target's boottime clock.
        let uptime: Double
        /// Microseconds since 1970, by the controller's wall clock, at the uptime 0.
        let zero: Int64
        let zeroUncertainty: Double
        /// Seconds that the target's wall clock is ahead; nil where it could not be read.
        let offset: Double?
        let uncertainty: Double

        /// The target's wall clock at the uptime 0, in microseconds.
        var wallZero: Double? { offset.map { Double(zero) + $0 * 1e6 } }
    }

    /// Origin: half an hour of comparisons as they were, and as many of the time before, of which a drift needs few.
    private static let kept = 64
    /// Of the target's clock against the controller's, or against itself: adjtimex(2) slews by at most that much.
    private static let drift = 500e-6

    package init() {}

    /// Takes in a comparison.
    /// - Parameter data: of a `clock_offset` event.
    package mutating func add(_ data: JSONObject) {
        guard let reading = Reading(data), reading.uptime >= readings.last?.uptime ?? 0 else { return }
        readings.append(readings.last.map { reading.narrowed(by: $0, drift: Self.drift) } ?? reading)
        if readings.count > Self.kept { readings.remove(at: leastTelling) }
    }

    /// Of the older half the comparison that its neighbours tell best: what was measured at the beginning of a long run, and
    /// at a step, is still known at its end.
    private var leastTelling: Int {
        var (best, smallest) = (1, Double.infinity)
        for index in 1..<readings.count / 2 {
            let (left, reading, right) = (readings[index - 1], readings[index], readings[index + 1])
            let width = right.uptime - left.uptime
            let share = width > 0 ? (reading.uptime - left.uptime) / width : 0
            func error(_ value: (Reading) -> Double) -> Double {
                (value(left) + (value(right) - value(left)) * share - value(reading)).magnitude
            }
            let error = max(error { Double($0.zero) }, error { ($0.offset ?? 0) * 1e6 })
            if error < smallest { (best, smallest) = (index, error) }
        }
        return best
    }

    package var isEmpty: Bool { readings.isEmpty }

    /// The controller's time, UTC, at an uptime of the target; nil for a number that is none.
    package func time(atUptime seconds: Double) -> String? {
        microseconds(atUptime: seconds).map { Clock.iso8601(microseconds: $0) }
    }

    /// What the target's own wall clock showed, UTC, by its offset; nil where that is not known.
    package func targetTime(atUptime seconds: Double) -> String? {
        guard let time = microseconds(atUptime: seconds), let offset = offset(atUptime: seconds),
            offset.magnitude < Self.tooFar
        else { return nil }
        return Clock.iso8601(microseconds: time + Int64(offset * 1e6))
    }

    /// By how much the target's wall clock has stepped since the last comparison, in seconds; nil for what slewing and the
    /// bounds of the comparisons explain.
    /// - Parameter data: of the `clock_offset` event that comes next.
    package func step(to data: JSONObject) -> Double? {
        guard let next = Reading(data), let last = readings.last, let before = last.wallZero, let now = next.wallZero
        else { return nil }
        let step = (now - before) / 1e6
        let bounds = [last.zeroUncertainty, last.uncertainty, next.zeroUncertainty, next.uncertainty].reduce(0, +)
        return step.magnitude > bounds + Self.drift * (next.uptime - last.uptime).magnitude ? step : nil
    }

    /// Three hundred years: what a broken target says must not overflow.
    private static let tooFar = 1e10

    private func microseconds(atUptime seconds: Double) -> Int64? {
        guard seconds.magnitude < Self.tooFar,
            let zero = interpolated(seconds, { Double($0.zero) }, { $0.zeroUncertainty })
        else { return nil }
        return Int64(zero) + Int64(seconds * 1e6)
    }

    private func offset(atUptime seconds: Double) -> Double? {
        interpolated(seconds, { $0.offset.map { $0 * 1e6 } }, { $0.uncertainty }).map { $0 / 1e6 }
    }

    /// - Parameters:
    ///   - value: in microseconds.
    ///   - uncertainty: of the value, in seconds.
    private func interpolated(
        _ uptime: Double, _ value: (Reading) -> Double?, _ uncertainty: (Reading) -> Double
    ) -> Double? {
        guard let after = readings.firstIndex(where: { $0.uptime > uptime }) else {
            return readings.last.flatMap(value)
        }
        guard after > 0 else { return value(readings[after]) }
        let (left, right) = (readings[after - 1], readings[after])
        guard let from = value(left), let to = value(right) else { return value(left) ?? value(right) }
        let share = (uptime - left.uptime) / (right.uptime - left.uptime)
        let slewing = Self.drift * (right.uptime - left.uptime) + uncertainty(left) + uncertainty(right)
        if (to - from).magnitude > slewing * 1e6 { return share < 0.5 ? from : to }
        return from + (to - from) * share
    }

    // MARK: The manifest

    package var json: JSON { .array(readings.map(\.json)) }

    init(json: JSON?) { readings = (json?.array ?? []).compactMap { $0.object.flatMap { Reading($0) } } }
}

extension TargetClock.Reading {
    /// What the comparison before still tells: where its offset, aged by what clocks drift apart, and this one can both be
    /// true, the truth is in both. A new session begins with the whole seconds of a coarse `date`, and need not forget.
    fileprivate func narrowed(by last: Self, drift: Double) -> Self {
        guard let offset, let before = last.offset else { return self }
        let age = drift * (uptime - last.uptime) + last.uncertainty
        let low = max(offset - uncertainty, before - age)
        let high = min(offset + uncertainty, before + age)
        guard low <= high else { return self }
        return Self(
            uptime: uptime, zero: zero, zeroUncertainty: zeroUncertainty, offset: low + (high - low) / 2,
            uncertainty: (high - low) / 2)
    }

    /// The fields of a `clock_offset` event that count here.
    fileprivate init?(_ data: JSONObject) {
        guard let zero = data["boottime_zero"]?.string.flatMap({ Clock.microseconds(iso8601: $0) }) else { return nil }
        self.init(
            uptime: data["target_uptime_s"]?.double ?? 0, zero: zero,
            zeroUncertainty: data["boottime_uncertainty_s"]?.double ?? 0, offset: data["offset_s"]?.double,
            uncertainty: data["uncertainty_s"]?.double ?? 0)
    }

    fileprivate var json: JSON {
        [
            "target_uptime_s": .double(uptime), "boottime_zero": .string(Clock.iso8601(microseconds: zero)),
            "boottime_uncertainty_s": .double(zeroUncertainty), "offset_s": offset.map { .double($0) },
            "uncertainty_s": .double(uncertainty),
        ]
    }
}
