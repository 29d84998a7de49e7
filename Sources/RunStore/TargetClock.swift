import LinuxSystem

/// When a target's boottime clock began, by the controller's wall clock: places what happened in one boot of it.
package struct TargetClock: Sendable, Equatable {
    /// Microseconds since 1970 at the uptime 0.
    private let zero: Int64

    /// - Parameter zero: as `clock_offset` tells it.
    init?(zero: String?) {
        guard let microseconds = zero.flatMap({ Clock.microseconds(iso8601: $0) }) else { return nil }
        self.zero = microseconds
    }

    /// The controller's time, UTC, at an uptime of the target; nil for a number that is none.
    package func time(atUptime seconds: Double) -> String? {
        // Three hundred years: what a broken target says must not overflow.
        guard seconds.magnitude < 1e10 else { return nil }
        return Clock.iso8601(microseconds: zero + Int64(seconds * 1e6))
    }
}
