import JSON
import LinuxSystem

/// Notices steps of the controller's wall clock, and the time for which it slept. Durations are not concerned: they come
/// from CLOCK_BOOTTIME, which neither stops nor steps.
struct ClockWatch {
    /// Wall clock minus boottime, in microseconds: constant but for steps and for slewing, which is slow (adjtimex(2):
    /// at most 500 microseconds a second).
    private var offset = ClockWatch.offset
    /// Boottime minus monotonic time, in microseconds: what the machine has slept since its boot.
    private var slept = ClockWatch.slept

    /// Origin: far above slewing and a delay between two readings, far below what would spoil a time series.
    private static let threshold: Int64 = 500_000

    private static var offset: Int64 { Clock.wallMicroseconds() - Clock.boottimeNanoseconds() / 1000 }
    private static var slept: Int64 { (Clock.boottimeNanoseconds() - Clock.monotonicNanoseconds()) / 1000 }

    /// The data of a `clock_jump` event, if there is something to tell since the last look.
    mutating func look() -> JSONObject? {
        let (step, sleep) = (Self.offset - offset, Self.slept - slept)
        offset += step
        slept += sleep
        let hasStepped = abs(step) >= Self.threshold
        let hasSlept = sleep >= Self.threshold
        guard hasStepped || hasSlept else { return nil }
        return [
            "step_s": hasStepped ? .double(Double(step) / 1e6) : nil,
            "suspended_s": hasSlept ? .double(Double(sleep) / 1e6) : nil,
        ]
    }
}
