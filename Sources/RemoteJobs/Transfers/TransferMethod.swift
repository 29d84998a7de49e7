/// How bytes of files travel.
package enum TransferMethod: String, Sendable, CaseIterable {
    /// The server's SFTP subsystem, many requests in flight.
    case sftp
    /// One archive for many files.
    case tar
    /// `dd` over a channel, from any block on; where there is none, `tail` or `cat`.
    case exec
    /// The protocol of `scp -f` and `scp -t`, which begins at the beginning.
    case scp
}
