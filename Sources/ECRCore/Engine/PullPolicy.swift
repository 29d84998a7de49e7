import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// How files are fetched, and how much at most.
struct PullPolicy: Sendable {
    /// The way for every file; nil chooses for each.
    var method: TransferMethod?
    /// Bytes and files of one pull, all its entries together.
    var mostBytes: Int64?
    var mostFiles: Int?
    /// Bytes that stay free on the disk of the runs directory.
    var minFreeDisk: Int64
    private let directory: String
    private let profileFile: String

    /// - Parameter profileFile: what the run's profile was copied from; empty where that is not known.
    init(_ settings: TransferSettings, _ run: RunDirectory, _ profileFile: String) {
        directory = run.path
        self.profileFile = profileFile
        method = TransferMethod(rawValue: settings.method.rawValue)
        mostBytes = settings.mostBytes
        mostFiles = settings.mostFiles
        minFreeDisk = settings.minFreeDisk
    }

    /// Refuses what is too much, before anything of it is fetched.
    /// - Parameters:
    ///   - isCut: there are more files than were counted.
    ///   - others: what comes beside it.
    ///   - free: bytes on the disk.
    func check(
        _ share: PullAllowance.Share, isCut: Bool, others: PullAllowance.Share, free: Int64
    ) throws(TransferFailure) {
        if let mostFiles, share.files + others.files > mostFiles || isCut {
            let already = others.files > 0 ? ", with the \(others.files) of the entries before it" : ""
            throw TransferFailure(
                "more than \(mostFiles) files\(already), as transfers.max_files allows", limit: "max_files",
                hint: "pull a part of it; or \(change("a larger", "max_files"))")
        }
        if isCut {
            throw TransferFailure("more than \(TransferLine.mostFiles) files; ask for the folders in it one by one")
        }
        let size = ByteCount.text(share.bytes)
        if let mostBytes, share.bytes > 0, share.bytes > mostBytes - others.bytes {
            throw TransferFailure(
                "\(size)\(Self.beside(others)), more than the \(ByteCount.text(mostBytes)) of transfers.max_bytes in the "
                    + "profile",
                limit: "max_bytes",
                hint: "pull a part of it; or \(change("a larger", "max_bytes"))")
        }
        try requireRoom(for: share.bytes - share.kept, beside: others, free: free)
    }

    /// Refuses what would leave too little room on the disk of the runs directory.
    func requireRoom(
        for needed: Int64, beside others: PullAllowance.Share = PullAllowance.Share(), free: Int64
    ) throws(TransferFailure) {
        guard needed > 0, needed > free - minFreeDisk - (others.bytes - others.kept) else { return }
        var failure = TransferFailure(
            """
            \(ByteCount.text(needed))\(Self.beside(others)) would leave less than \(ByteCount.text(minFreeDisk)) free on the \
            disk of the runs directory, which has \(ByteCount.text(free)); transfers.min_free_disk in the profile asks for that
            """, limit: "min_free_disk",
            hint: "df -h \(shellWord(directory)), and make room; or \(change("a smaller", "min_free_disk"))")
        failure.isLocal = true
        throw failure
    }

    private static func beside(_ others: PullAllowance.Share) -> String {
        others.files > 0 ? ", with \(ByteCount.text(others.bytes)) of the entries before it" : ""
    }

    /// A run keeps the profile that it was started with.
    private func change(_ what: String, _ key: String) -> String {
        let place = profileFile.isEmpty ? "its profile" : profileFile
        return "start a run with \(what) `transfers: {\(key): …}` in \(place)"
    }
}
