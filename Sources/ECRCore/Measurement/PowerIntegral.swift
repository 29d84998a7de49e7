import RunStore

/// The integral of a power over a window, by trapezoids between samples, in joules; at the window's edges the power is
/// interpolated between the sample before and the one behind.
///
/// Where samples are missing nothing is assumed: a space of more than `longestSpace` times the usual one is left out, and
/// `covered` tells how much of the window is in.
struct PowerIntegral {
    private let window: ClosedRange<Double>
    /// Watts a unit.
    private let scale: Double
    private var points: [(time: Double, watts: Double)] = []

    /// Origin: samplers of one second on a loaded board are late by two.
    private static let longestSpace = 5.0

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

    /// Adds the next sample; those before the window count as far as they are the last one.
    mutating func add(_ time: Double, _ value: Double) {
        if let last = points.last, time <= last.time { return }
        if time <= window.lowerBound { points.removeAll() }
        if let last = points.last, last.time >= window.upperBound { return }
        points.append((time, value * scale))
    }

    /// Nil without two samples that enclose something of the window.
    var energy: JobWindow.Energy? {
        let spaces = zip(points, points.dropFirst()).map { $1.time - $0.time }.sorted()
        guard !spaces.isEmpty else { return nil }
        let longest = spaces[spaces.count / 2] * Self.longestSpace
        var (joules, covered) = (0.0, 0.0)
        for (before, after) in zip(points, points.dropFirst()) where after.time - before.time <= longest {
            let (start, end) = (max(before.time, window.lowerBound), min(after.time, window.upperBound))
            guard start < end else { continue }
            func watts(_ time: Double) -> Double {
                before.watts + (after.watts - before.watts) * (time - before.time) / (after.time - before.time)
            }
            joules += (watts(start) + watts(end)) / 2 * (end - start)
            covered += end - start
        }
        return covered > 0 ? JobWindow.Energy(joules: joules, covered: covered) : nil
    }
}
