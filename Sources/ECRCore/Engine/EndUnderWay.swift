/// An end of the run that has begun and is not on record yet.
struct EndUnderWay {
    /// What it is, as `status` says it.
    enum Kind: String { case completing, aborting, draining }

    let kind: Kind
    /// UTC.
    let since: String
    /// A completion that waits for actions lets the collectors sample meanwhile, and starts those again that die.
    var isStoppingCollectors: Bool

    init(_ kind: Kind, since: String) {
        self.kind = kind
        self.since = since
        isStoppingCollectors = kind != .completing
    }
}

/// The run was ended while its setup actions ran; whoever ended it has the answer.
struct EndedMeanwhile: Error {}
