import RunStore

/// The integral of a power over a window, by trapezoids between samples, in joules; at the window's edges the power is
/// interpolated between the sample before and the one behind.
struct PowerIntegral {
    private let window: ClosedRange<Double>
    /// Watts a unit.
    private let scale: Double
    private var last: (time: Double, watts: Double)?
    private var joules = 0.0
    /// Seconds of the window that are in.
    private var covered = 0.0

    /// - Parameter window: seconds.
    /// - Returns: nil where the unit is none of power.
    init?(_ window: ClosedRange<Double>, unit: String?) {
        switch unit {
        case "W": scale = 1
        case "mW": scale = 1e-3
        default: return nil
        }
        self.window = window
    }

    /// Adds the next sample.
    /// - Parameter isBehindGap: samples are missing in front of it, and nothing is assumed of that time.
    mutating func add(_ time: Double, _ value: Double, isBehindGap: Bool) {
        if let last, time <= last.time { return }
        let before = last
        last = (time, value * scale)
        guard let before, let after = last, !isBehindGap else { return }
        let (start, end) = (max(before.time, window.lowerBound), min(after.time, window.upperBound))
        guard start < end else { return }
        func watts(_ time: Double) -> Double {
            before.watts + (after.watts - before.watts) * (time - before.time) / (after.time - before.time)
        }
        joules += (watts(start) + watts(end)) / 2 * (end - start)
        covered += end - start
    }

    /// Nil without two samples that enclose something of the window.
    var energy: JobWindow.Energy? { covered > 0 ? JobWindow.Energy(joules: joules, covered: covered) : nil }
}
