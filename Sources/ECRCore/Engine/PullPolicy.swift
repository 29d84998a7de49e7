import LinuxSystem
import Profiles
import RemoteJobs

/// How files are fetched, and how much at most.
struct PullPolicy: Sendable {
    /// The way for every file; nil chooses for each.
    var method: TransferMethod?
    /// Bytes and files of one entry.
    var mostBytes: Int64?
    var mostFiles: Int?
    /// Bytes that stay free on the disk of the runs directory.
    var minFreeDisk: Int64

    init(_ settings: TransferSettings) {
        method = TransferMethod(rawValue: settings.method.rawValue)
        mostBytes = settings.mostBytes
        mostFiles = settings.mostFiles
        minFreeDisk = settings.minFreeDisk
    }

    /// Refuses what is too much, before anything of it is fetched.
    /// - Parameters:
    ///   - free: bytes on the disk; nil leaves it out of account.
    ///   - kept: bytes that are here already.
    func check(_ expansion: Expansion, free: Int64?, kept: Int64) throws(TransferFailure) {
        if let mostFiles, expansion.files.count > mostFiles || expansion.isCut {
            throw TransferFailure("more than \(mostFiles) files; raise transfers.max_files in the profile")
        }
        if expansion.isCut {
            throw TransferFailure("more than \(TransferLine.mostFiles) files; ask for the folders in it one by one")
        }
        let bytes = Int64(clamping: expansion.bytes)
        let size = ByteCount.text(bytes)
        if let mostBytes, bytes > mostBytes {
            throw TransferFailure(
                "\(size), more than the \(ByteCount.text(mostBytes)) of transfers.max_bytes in the profile; raise it there"
            )
        }
        if let free, bytes > kept, bytes - kept > free - minFreeDisk {
            var failure = TransferFailure(
                """
                \(ByteCount.text(bytes - kept)) would leave less than \(ByteCount.text(minFreeDisk)) free on the disk of the runs directory, which \
                has \(ByteCount.text(free)); make room there, or lower transfers.min_free_disk in the profile
                """)
            failure.isLocal = true
            throw failure
        }
    }
}
