import LinuxSystem

/// When a target's boottime clock began, by the controller's wall clock: places what happened in one boot of it.
package struct TargetClock: Sendable, Equatable {
    /// Microseconds since 1970 at the uptime 0.
    private let zero: Int64
    /// Seconds that the target's wall clock is ahead; nil where it could not be read.
    private let offset: Double?

    /// Both as `clock_offset` tells them.
    init?(zero: String?, offset: Double?) {
        guard let microseconds = zero.flatMap({ Clock.microseconds(iso8601: $0) }) else { return nil }
        self.zero = microseconds
        self.offset = offset
    }

    /// The controller's time, UTC, at an uptime of the target; nil for a number that is none.
    package func time(atUptime seconds: Double) -> String? { time(atUptime: seconds, plus: 0) }

    /// What the target's own wall clock showed, UTC, by its offset; nil where that is not known.
    package func targetTime(atUptime seconds: Double) -> String? {
        offset.flatMap { $0.magnitude < 1e10 ? time(atUptime: seconds, plus: $0) : nil }
    }

    private func time(atUptime seconds: Double, plus offset: Double) -> String? {
        // Three hundred years: what a broken target says must not overflow.
        guard seconds.magnitude < 1e10 else { return nil }
        return Clock.iso8601(microseconds: zero + Int64(seconds * 1e6) + Int64(offset * 1e6))
    }
}
