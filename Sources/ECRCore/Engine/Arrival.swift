import Glibc
import Hashing
import LinuxSystem
import RemoteJobs

/// A file that is here, and what is known of it.
struct Arrival: Sendable {
    let file: RemoteFile
    /// Where it is now: an absolute path.
    let part: String
    /// Where it belongs, relative to the run directory, if it is there already.
    let place: String?
    let size: Int64
    let sha256: String
    /// What the target says; nil where it cannot tell, or its file is another one by now.
    var remoteSHA256: String?
    /// How it came; `unchanged` and `known` for what was here before.
    let method: String
    /// Of the transfer, for an archive of all of it.
    var seconds = 0.0
    var resumedAt: Int64 = 0
    /// What became of the target's file while it was read.
    var change: FileChange?
    /// Whether its bytes are on the disk.
    var isSynced = false
    /// The file whose content it is, for what was here before.
    var source: String?

    /// The target has not said what it has, and nobody knows of a change.
    var isUnverified: Bool { remoteSHA256 == nil && change == nil }

    init(
        _ file: RemoteFile, _ received: ReceivedFile, remote: String?, _ seconds: Double, place: String? = nil
    ) {
        self.file = file
        self.place = place
        part = received.part
        size = received.size
        sha256 = received.sha256
        remoteSHA256 = remote
        method = received.method.rawValue
        self.seconds = seconds
        resumedAt = received.resumedAt
        change = received.change
        isSynced = received.method != .tar
    }

    init(
        file: RemoteFile, part: String, size: Int64, sha256: String, remoteSHA256: String?, method: String,
        source: String, place: String? = nil
    ) {
        self.file = file
        self.place = place
        self.part = part
        self.size = size
        self.sha256 = sha256
        self.remoteSHA256 = remoteSHA256
        self.method = method
        self.source = source
        isSynced = true
    }

    /// Notes that the target's file has changed, and how as far as that shows.
    /// - Parameter now: the file of its name; nil where there is none.
    mutating func note(_ now: RemoteFile?) {
        if change != nil { return }
        guard let now else { return change = .removed }
        change = now.size > file.size ? .grown : .rewritten
    }

    /// Gives the source's content the part's name; false where that cannot be.
    func link() -> Bool {
        guard let source else { return false }
        var status = stat()
        guard lstat(source, &status) == 0, Int64(status.st_size) == size else { return false }
        if Glibc.link(source, part) == 0 { return true }
        switch errno {
        case EEXIST: unlink(part)
        case ENOENT: _ = try? FileSystem.makeDirectories(FileSystem.parent(of: part))
        default: return false
        }
        return Glibc.link(source, part) == 0
    }
}

/// Names of parts.
enum PartName {
    static func of(_ key: [UInt8]) -> String { String(SHA256.hexDigest(of: key).prefix(32)) }
}
