import LinuxSystem

/// Judges from the received bytes whether a server still lives. Pure, but for the first reading of the clock.
///
/// An interval counts only if the loop looked at its end: a process that was stopped, or a laptop that slept, wakes up
/// with a new interval and asks again before it judges.
struct Liveness {
    enum Verdict: Equatable {
        case fine
        /// Silence for one interval: ask for a sign of life.
        case ask
        /// Silence for so many seconds in spite of the question.
        case dead(seconds: Double)
    }

    /// Origin: a lost ping at 1 s and death at 3 s found every kind of cut link in 3.0 s.
    private static let patience = 3

    private let interval: Int64
    private(set) var nextCheck: Int64
    private var bytesAtCheck: UInt64 = 0
    private var silentIntervals = 0

    init(interval seconds: Double, now: Int64 = Clock.boottimeNanoseconds()) {
        interval = Int64(max(0.01, Deadline.sensible(seconds)) * 1e9)
        nextCheck = now + interval
    }

    /// To be called after each poll.
    mutating func check(now: Int64, receivedBytes: UInt64) -> Verdict {
        guard now >= nextCheck else { return .fine }
        let isLate = now - nextCheck >= interval
        nextCheck = now + interval
        guard receivedBytes == bytesAtCheck, !isLate else {
            bytesAtCheck = receivedBytes
            silentIntervals = 0
            return isLate ? .ask : .fine
        }
        silentIntervals += 1
        guard silentIntervals >= Liveness.patience else { return .ask }
        return .dead(seconds: Double(interval) * Double(silentIntervals) / 1e9)
    }
}
