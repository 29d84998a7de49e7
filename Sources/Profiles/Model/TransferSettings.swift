/// How files travel between the target and the run, and how much at most.
package struct TransferSettings: Sendable, Equatable {
    /// See `help profile`.
    package enum Method: String, Sendable, CaseIterable { case auto, sftp, tar, exec, scp }

    /// `auto` chooses for each file.
    package var method = Method.auto
    /// Bytes of one pull, all its entries together; nil for no limit.
    package var mostBytes: Int64?
    /// Files of one pull, all its entries together; nil for no limit.
    package var mostFiles = 100_000
    /// Bytes that are left free on the disk of the runs directory.
    package var minFreeDisk = defaultFreeDisk

    package init() {}

    /// Origin: the run goes on after a pull, and its own record needs room.
    package static let defaultFreeDisk: Int64 = 100_000_000
}
