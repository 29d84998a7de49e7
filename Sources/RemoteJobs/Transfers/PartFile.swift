import Glibc
import Hashing
package import LinuxSystem

/// A file on its way into the run: grows at its end, under a temporary name. Touched by one worker, or one thread, only.
package final class PartFile: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let file: File
    private var hash = SHA256()
    package private(set) var size: Int64 = 0
    /// Bytes that the kernel has, and of them those that it was told to write.
    private var written: Int64 = 0
    /// A hole follows from here on.
    private var end: Int64 = 0
    private var synced: Int64 = 0
    /// What goes to the kernel next; nil where everything goes at once.
    private var block: DirectBlock?
    private var isDirect = false
    /// Bytes that it will have, as far as is known.
    private var expected: Int64 = 0

    /// Origin: so much is on its way to the disk at a time, and the sync at the end waits for no more.
    private static let writeBehind: Int64 = 32 << 20
    /// Origin: what is smaller is read again soon, for the export, and hardly disturbs the cache.
    private static let large: Int64 = 64 << 20
    private static let page = 4096

    /// Makes a new file, in the place of what is there.
    /// - Parameter expected: the size that it will have, if that is known.
    package init(_ path: String, expected: Int64 = 0) throws(SystemError) {
        let mode = FileSystem.unfinishedMode
        do { file = try File(path: path, O_RDWR | O_CREAT | O_EXCL, mode: mode) } catch {
            guard error.code == EEXIST else { throw error }
            unlink(path)
            file = try File(path: path, O_RDWR | O_CREAT | O_EXCL, mode: mode)
        }
        self.expected = expected
        chooseWay()
    }

    /// Takes up what is left of an earlier transfer, cut to whole blocks.
    /// - Parameters:
    ///   - block: bytes.
    ///   - expected: the size that it will have.
    init(resuming path: String, block: Int64, expected: Int64) throws(SystemError) {
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
        (written, synced, end) = (size, size, size)
        self.expected = expected
        chooseWay()
    }

    private func chooseWay() {
        guard !isDirect, expected - size >= Self.large else { return }
        isDirect = file.setDirect(true)
        if isDirect { block = DirectBlock() }
    }

    /// The SHA-256 of what is here.
    package var sha256: String { hash.hexDigest() }

    /// Throws away what is here.
    func restart() throws(SystemError) {
        _ = block?.takeOut()
        try file.truncate(to: 0)
        hash = SHA256()
        (size, written, synced, end) = (0, 0, 0, 0)
        chooseWay()
    }

    /// Adds bytes.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        hash.update(bytes)
        size += Int64(bytes.count)
        try bytes.withUnsafeBufferPointer { bytes throws(SystemError) in try put(UnsafeRawBufferPointer(bytes)) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        guard let block else { return try write(bytes) }
        var done = 0
        while done < bytes.count {
            done += block.fill(UnsafeRawBufferPointer(rebasing: bytes[done...]))
            if block.isFull { try write(block.takeOut()) }
        }
    }

    /// Zeros become a hole, as they often were one on the target.
    private func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        if bytes.isEmpty { return }
        if bytes.count < Self.page || !Self.isZero(bytes) {
            do throws(SystemError) { try file.write(bytes, at: written) } catch {
                // A file system may refuse only when it is asked to write.
                guard error.code == EINVAL, isDirect, file.setDirect(false) else { throw error }
                isDirect = false
                try file.write(bytes, at: written)
            }
            end = written + Int64(bytes.count)
        }
        written += Int64(bytes.count)
        if !isDirect, written - synced >= Self.writeBehind {
            file.beginWriteBack(from: synced, count: written - synced)
            synced = written
        }
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[0] == 0 && memcmp(bytes.baseAddress!, bytes.baseAddress! + 1, bytes.count - 1) == 0
    }

    /// Hands everything that has come to the kernel, so that another transfer can go on from here.
    func flush() throws(SystemError) {
        if let rest = block?.takeOut() {
            // The last block need not be a whole one, which only the page cache takes.
            isDirect = !file.setDirect(false)
            try write(rest)
            block = nil
        }
        // No further than it was written: what a full disk has not taken is not there.
        if end < written { try file.truncate(to: written) }
        end = written
    }

    /// Gives the file its length and mode: as it was, executable or not, and for nobody to write.
    /// - Parameter isSynced: false leaves the sync to whoever syncs many files at once.
    package func finish(isExecutable: Bool, isSynced: Bool) throws(SystemError) {
        try flush()
        try check("set the mode of", path: file.path) { fchmod(file.descriptor, isExecutable ? 0o500 : 0o400) }
        if isSynced { try file.sync() }
    }
}
