import LinuxSystem

/// How fast bytes come at present.
struct TransferPace: Sendable {
    private struct Mark {
        var at: Int64
        var bytes: Int64 = 0
    }

    /// The rate counts from here on.
    private var since: Mark
    private var last: Mark
    /// When bytes were last seen to have come, and how many had by then.
    private var seen: Mark
    /// Nanoseconds between one sight of new bytes and the next, of late.
    private var usualGap: Int64 = 0

    /// Nanoseconds. Origin: what an eye takes for the present.
    private static let window: Int64 = 2_000_000_000

    /// - Parameter now: nanoseconds of the clock since boot.
    init(now: Int64 = Clock.boottimeNanoseconds()) {
        since = Mark(at: now)
        (last, seen) = (since, since)
    }

    /// Bytes a second in the last two to four seconds, or since the beginning or the last outage; nil in the first one.
    /// - Parameters:
    ///   - bytes: that have come so far.
    ///   - now: nanoseconds of the clock since boot.
    mutating func rate(_ bytes: Int64, now: Int64 = Clock.boottimeNanoseconds()) -> Double? {
        if bytes != seen.bytes { see(Mark(at: now, bytes: bytes)) }
        if now - last.at >= Self.window { (since, last) = (last, Mark(at: now, bytes: bytes)) }
        let seconds = Double(now - since.at) / 1e9
        return seconds >= 1 ? Double(max(0, bytes - since.bytes)) / seconds : nil
    }

    /// Takes a gap that is long beside the window and beside the others for an outage, which says nothing of how fast bytes come now.
    /// The next gap of that length is a usual one: so come the pieces of a very slow link.
    private mutating func see(_ mark: Mark) {
        let gap = mark.at - seen.at
        if gap > max(Self.window, 8 * usualGap) {
            (since, last) = (mark, mark)
            usualGap = max(usualGap, gap / 8)
        } else {
            usualGap += (gap - usualGap) / 8
        }
        seen = mark
    }
}
