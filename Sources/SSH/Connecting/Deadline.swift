import LinuxSystem

/// The moment by which a connection must stand, shared by all its steps and jump hosts. It moves by the time that a
/// person needs to answer.
final class Deadline: Sendable {
    private struct Moment {
        var end: Int64
        /// Since when a person is being waited for.
        var pausedAt: Int64?
    }

    /// The whole time that was given, for messages.
    let seconds: Double
    private let moment: Locked<Moment>

    /// Origin: the largest wait that fits into poll(2) and every clock by far; more days than a boot lasts.
    static let longest = 1e6

    /// - Parameter seconds: anything below 0 is 0, anything absurd is `longest`.
    init(seconds: Double) {
        let seconds = Deadline.sensible(seconds)
        self.seconds = seconds
        moment = Locked(Moment(end: Clock.boottimeNanoseconds() + Int64(seconds * 1e9)))
    }

    static func sensible(_ seconds: Double) -> Double { seconds.isFinite ? min(max(0, seconds), longest) : longest }

    /// What is left, below 0 when it is over.
    var nanoseconds: Int64 { moment.withLock { $0.end - ($0.pausedAt ?? Clock.boottimeNanoseconds()) } }

    var isOver: Bool { nanoseconds <= 0 }

    /// What is left, at least 0, for poll(2).
    var milliseconds: Int32 { Int32(clamping: max(0, (nanoseconds + 999_999) / 1_000_000)) }

    /// Does something whose time does not count.
    func paused<Value>(_ body: () -> Value) -> Value {
        moment.withLock { $0.pausedAt = Clock.boottimeNanoseconds() }
        defer {
            moment.withLock { moment in
                moment.end += Clock.boottimeNanoseconds() - (moment.pausedAt ?? 0)
                moment.pausedAt = nil
            }
        }
        return body()
    }

    /// Returns when it has been over for some seconds. Throws when the task is cancelled.
    func wait(beyond grace: Double) async throws {
        while true {
            let left = nanoseconds + Int64(grace * 1e9)
            if left <= 0 { return }
            // While a person is waited for, what is left stays as it is, however little it may be.
            try await Task.sleep(for: .nanoseconds(max(left, 50_000_000)))
        }
    }

    /// `30 s`, `0.5 s`.
    var description: String {
        seconds == seconds.rounded() && seconds < 1e9 ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
