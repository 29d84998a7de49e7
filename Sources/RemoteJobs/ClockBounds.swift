/// How far a clock of the target is ahead of the controller's boottime clock: two bounds, in nanoseconds, between which
/// the truth lies whatever the link does.
///
/// A clock that shows `value` and stands still for `step` showed it at some moment between the question and its answer.
/// So it is ahead by `value - received` at least and by less than `value + step - sent`. Several exchanges are all true,
/// so their bounds are cut with one another: what a slow exchange cannot tell, a quick one does, and where the clock is
/// coarse, those that come just before and just after one of its steps tell most.
struct ClockBounds: Sendable, Equatable {
    private(set) var low: Int64
    private(set) var high: Int64
    /// When the last exchange ended, by the controller's boottime.
    private var time: Int64

    init(reading value: Int64, step: Int64, sent: Int64, received: Int64) {
        low = value - received
        high = value + step - sent
        time = received
    }

    var middle: Int64 { low + (high - low) / 2 }
    /// Half of what lies between the bounds.
    var uncertainty: Int64 { (high - low + 1) / 2 }

    /// Origin: adjtimex(2) slews by at most 500 microseconds a second; the crystals of two boards differ by less.
    static let drift = 500e-6

    /// Cuts the bounds with those of a later exchange.
    /// - Returns: false where both cannot be true: the clock has stepped in between, and only the later ones count.
    mutating func narrow(by later: ClockBounds) -> Bool {
        let aged = Int64(Double(later.time - time) * Self.drift)
        let (low, high) = (max(low - aged, later.low), min(high + aged, later.high))
        guard low <= high else {
            self = later
            return false
        }
        (self.low, self.high, time) = (low, high, later.time)
        return true
    }

    /// When a question should be asked so that its answer halves what lies between the bounds: when the clock's next step
    /// is due, if the truth is in the middle.
    /// - Parameters:
    ///   - now: the controller's boottime.
    ///   - trip: how long an exchange takes.
    func nextQuestion(step: Int64, now: Int64, trip: Int64) -> Int64 {
        let reading = now + trip / 2 + middle
        let phase = (reading % step + step) % step
        return phase == 0 ? now : now + step - phase
    }
}
