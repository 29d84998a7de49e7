import RemoteJobs
import SSH

/// Which transfers that have failed are tried again: counts breaks of the link, and errors while it stood, since something
/// has come: a file to its place, or more of one than ever before.
struct TransferRetries {
    /// Origin: a link that stands and still fails so often is no link for files.
    private static let mostFailures = 3

    private var breaks = 0
    private var errors = 0
    /// The most bytes that were there at a failure.
    private var furthest: Int64 = 0

    /// A session that is at fault is left by `Target.transferLine`; one that is not may have other files on their way.
    /// - Parameters:
    ///   - hasProgress: a file has come to its place since the last failure.
    ///   - bytes: of those that have no place yet so many are there.
    /// - Returns: false for what fails again and again while the link stands: it will not get better.
    mutating func mayGoOn(
        after error: SSHError, on target: Target, hasProgress: Bool, bytes: Int64
    ) async -> Bool {
        let stands = await target.session.isConnected
        if hasProgress || bytes > furthest { (breaks, errors) = (0, 0) }
        furthest = hasProgress ? bytes : max(furthest, bytes)
        if error.code == .connectionLost || !stands { breaks += 1 } else { errors += 1 }
        if errors >= Self.mostFailures { return false }
        if breaks >= Self.mostFailures { await target.close() }
        return true
    }
}
