import Glibc
import Hashing
import LinuxSystem

/// A file of the target's on its way into the run: grows at its end, under a temporary name. Touched by one worker only.
final class PartFile: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let file: File
    private var hash = SHA256()
    private(set) var size: Int64 = 0
    private var synced: Int64 = 0

    /// Origin: so much is on its way to the disk at a time, and the sync at the end waits for no more.
    private static let writeBehind: Int64 = 32 << 20
    private static let page = 4096

    /// Makes a new file, in the place of what is there.
    init(_ path: String) throws(SystemError) {
        do { file = try File(path: path, O_RDWR | O_CREAT | O_EXCL) } catch {
            guard error.code == EEXIST else { throw error }
            unlink(path)
            file = try File(path: path, O_RDWR | O_CREAT | O_EXCL)
        }
    }

    /// Takes up what is left of an earlier transfer, cut to whole blocks.
    /// - Parameter block: bytes.
    init(resuming path: String, block: Int64) throws(SystemError) {
        var status = stat()
        // A file of more than one name is another one's content, too.
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_nlink != 1 { unlink(path) }
        chmod(path, 0o600)
        file = try File(path: path, O_RDWR | O_CREAT | O_NOFOLLOW)
        size = try file.size() / block * block
        try file.truncate(to: size)
        var done: Int64 = 0
        while done < size {
            let bytes = try file.read(at: done, count: Int(min(size - done, 1 << 20)))
            if bytes.isEmpty { throw SystemError("read", path: path, code: EIO) }
            hash.update(bytes)
            done += Int64(bytes.count)
        }
    }

    /// The SHA-256 of what is here.
    var sha256: String { hash.hexDigest() }

    /// Throws away what is here.
    func restart() throws(SystemError) {
        try file.truncate(to: 0)
        hash = SHA256()
        size = 0
        synced = 0
    }

    /// Adds bytes. Zeros become a hole, as they often were one on the target.
    func append(_ bytes: [UInt8]) throws(SystemError) {
        if bytes.count < Self.page || !Self.isZero(bytes) { try file.write(bytes, at: size) }
        hash.update(bytes)
        size += Int64(bytes.count)
        if size - synced >= Self.writeBehind {
            file.beginWriteBack(from: synced, count: size - synced)
            synced = size
        }
    }

    private static func isZero(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { $0[0] == 0 && memcmp($0.baseAddress!, $0.baseAddress! + 1, $0.count - 1) == 0 }
    }

    /// Gives the file its length and mode: as it was, executable or not, and for nobody to write.
    /// - Parameter isSynced: false leaves the sync to whoever syncs many files at once.
    func finish(isExecutable: Bool, isSynced: Bool) throws(SystemError) {
        try file.truncate(to: size)
        try check("set the mode of", path: file.path) { fchmod(file.descriptor, isExecutable ? 0o500 : 0o400) }
        if isSynced { try file.sync() }
    }
}
