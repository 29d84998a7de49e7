import RemoteJobs

/// How much may come in one pull, at an action's end or by one command: what all of its entries come to is counted before
/// the first byte of any of them comes.
///
/// Entries have their shares in their order. One with which it would be too much is refused as a whole, and those behind
/// it may still fit.
struct PullAllowance: Sendable {
    /// What an entry comes to.
    struct Share: Sendable, Equatable {
        var files = 0
        var bytes: Int64 = 0
        /// Bytes of these that an earlier attempt has left: they have their room already.
        var kept: Int64 = 0
    }

    private let policy: PullPolicy
    /// Bytes on the disk of the runs directory before anything has come. Not asked again: if it is full by then, it has no
    /// room for the record either, and the run must be taken up again.
    private let free: Int64
    private var given = Share()

    init(_ policy: PullPolicy, free: Int64) {
        self.policy = policy
        self.free = free
    }

    /// Gives an entry its share.
    /// - Parameters:
    ///   - kept: see `Share`.
    ///   - held: what it has already. Less than that is never refused: what is missing has come before a break of
    ///   the link.
    /// - Throws: where there is not so much left; the entry has no share then.
    mutating func take(_ expansion: Expansion, kept: Int64, held: Share?) throws(TransferFailure) -> Share {
        let share = Share(files: expansion.files.count, bytes: Int64(clamping: expansion.bytes), kept: kept)
        if let held {
            if !expansion.isCut, share.files <= held.files, share.bytes <= held.bytes { return held }
            given.files -= held.files
            given.bytes -= held.bytes
            given.kept -= held.kept
        }
        try policy.check(share, isCut: expansion.isCut, others: given, free: free)
        given.files += share.files
        given.bytes = Int64(clamping: UInt64(given.bytes) + UInt64(share.bytes))
        given.kept += share.kept
        return share
    }
}
