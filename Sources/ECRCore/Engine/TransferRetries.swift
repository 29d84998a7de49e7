import RemoteJobs
import SSH

/// Which transfers that have failed are tried again: counts breaks of the link, and errors while it stood, since a file has
/// come to its place.
struct TransferRetries {
    /// Origin: a link that stands and still fails so often is no link for files.
    private static let mostFailures = 3

    private var breaks = 0
    private var errors = 0

    /// A session that is at fault is left by `Target.transferLine`; one that is not may have other files on their way.
    /// - Parameter hasProgress: a file has come to its place since the last failure.
    /// - Returns: false for what fails again and again while the link stands: it will not get better.
    mutating func mayGoOn(after error: SSHError, on target: Target, hasProgress: Bool) async -> Bool {
        let stands = await target.session.isConnected
        if hasProgress { (breaks, errors) = (0, 0) }
        if error.code == .connectionLost || !stands { breaks += 1 } else { errors += 1 }
        if errors >= Self.mostFailures { return false }
        if breaks >= Self.mostFailures { await target.close() }
        return true
    }
}
