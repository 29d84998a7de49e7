import Hashing

/// One stream of a job between its spool and the record: what comes is hashed for the ledger, then masked.
struct MaskedIntake {
    private let secrets: KnownSecrets
    private let job: String
    private let name: String
    private var stream = MaskedStream()
    /// Of everything since the first byte; nil where that is not known, or nothing had to be masked then.
    private var hash: RunningHash?
    private var isAtStart: Bool

    /// - Parameter recorded: bytes of the stream that an earlier supervisor has recorded.
    init(_ secrets: KnownSecrets, job: String, stream name: String, recorded: Int64) {
        self.secrets = secrets
        self.job = job
        self.name = name
        isAtStart = recorded == 0
    }

    /// Bytes that wait for their rest.
    var heldBytes: Int { stream.heldBytes }

    /// Takes what came; returns what may be recorded, and how many bytes of it stand in the place of a secret.
    mutating func take(_ bytes: [UInt8], isLast: Bool) -> (bytes: [UInt8], masked: Int64) {
        let mask = secrets.mask
        if isAtStart && !bytes.isEmpty {
            isAtStart = false
            hash = mask.isEmpty ? nil : RunningHash()
        }
        hash?.update(bytes)
        let before = stream.maskedBytes
        let result = stream.take(bytes, isLast: isLast, mask)
        if isLast, stream.maskedBytes > 0, let hash { secrets.remember(hash: hash.hexDigest(), of: job, name) }
        return (result, stream.maskedBytes - before)
    }
}

/// A hash that grows, shared by the copies of its owner.
private final class RunningHash {
    private var hash = SHA256()

    func update(_ bytes: [UInt8]) { hash.update(bytes) }
    func hexDigest() -> String { hash.hexDigest() }
}
