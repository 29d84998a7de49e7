import LinuxSystem

/// Thins out the news of a long transfer: at most five a second. Thread-safe.
final class ProgressSteps: Sendable {
    private let next = Locked<Int64>(Clock.boottimeNanoseconds() + interval)

    /// Origin: more often than an eye follows would only cost the client's time.
    private static let interval: Int64 = 200_000_000

    /// Whether it is time to tell more. A transfer that is over within one interval is never told of.
    func isDue() -> Bool {
        let now = Clock.boottimeNanoseconds()
        return next.withLock { next in
            guard now >= next else { return false }
            next = now + Self.interval
            return true
        }
    }
}
