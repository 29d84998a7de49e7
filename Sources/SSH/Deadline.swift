import LinuxSystem

/// The moment by which a connection must stand, shared by all its steps.
struct Deadline: Sendable {
    private let end: Int64
    /// The whole time that was given, for messages.
    let seconds: Double

    /// Origin: the largest wait that fits into poll(2) and every clock by far; more days than a boot lasts.
    static let longest = 1e6

    /// - Parameter seconds: anything below 0 is 0, anything absurd is `longest`.
    init(seconds: Double) {
        let seconds = Deadline.sensible(seconds)
        self.seconds = seconds
        end = Clock.boottimeNanoseconds() + Int64(seconds * 1e9)
    }

    static func sensible(_ seconds: Double) -> Double { seconds.isFinite ? min(max(0, seconds), longest) : longest }

    var isOver: Bool { Clock.boottimeNanoseconds() >= end }

    /// What is left, at least 0, for poll(2).
    var milliseconds: Int32 {
        Int32(clamping: max(0, (end - Clock.boottimeNanoseconds() + 999_999) / 1_000_000))
    }

    /// `30 s`, `0.5 s`.
    var description: String {
        seconds == seconds.rounded() && seconds < 1e9 ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
