import LinuxSystem

/// How fast bytes come at present.
struct TransferPace: Sendable {
    private struct Mark {
        var at = Clock.boottimeNanoseconds()
        var bytes: Int64 = 0
    }

    /// The rate counts from here on.
    private var since = Mark()
    private var last = Mark()

    /// Nanoseconds. Origin: what an eye takes for the present.
    private static let window: Int64 = 2_000_000_000

    /// Bytes a second in the last two to four seconds, or since the beginning; nil in the first one.
    /// - Parameter bytes: that have come so far.
    mutating func rate(_ bytes: Int64) -> Double? {
        let now = Clock.boottimeNanoseconds()
        if now - last.at >= Self.window { (since, last) = (last, Mark(at: now, bytes: bytes)) }
        let seconds = Double(now - since.at) / 1e9
        return seconds >= 1 ? Double(max(0, bytes - since.bytes)) / seconds : nil
    }
}
