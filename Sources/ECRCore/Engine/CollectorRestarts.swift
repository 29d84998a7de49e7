/// How often, and after how long, a collector that has died on the target is started again by itself.
struct CollectorRestarts {
    /// Seconds before each new start. Origin: somebody who ends all processes of a name does it once, and one second is
    /// less than most intervals; what dies at once again and again is broken, and must not fill the record.
    private static let pauses = [1.0, 5, 30, 120, 300]
    /// Seconds of life behind which the count begins anew.
    private static let longLife = 600.0

    /// The starts that have followed one another.
    private(set) var count = 0
    /// The one that is to come.
    var pending: Task<Void, Never>?

    /// Counts a death.
    /// - Parameter life: seconds for which the last sampler ran.
    /// - Returns: seconds until the next start; nil where there will be none.
    mutating func pause(afterLife life: Double) -> Double? {
        if life >= Self.longLife { count = 0 }
        guard count < Self.pauses.count else { return nil }
        count += 1
        return Self.pauses[count - 1]
    }
}
