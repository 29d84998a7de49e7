import CLinux
import Glibc

/// An open file that is closed with its last reference. Calls are thread-safe as far as the kernel's are:
/// `read(at:)` and `write(at:)` never move a shared position.
package final class File: Sendable {
    package let descriptor: Int32
    package let path: String

    /// Takes ownership of an open descriptor.
    package init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a file, always with O_CLOEXEC (open(2)).
    package convenience init(path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemError) {
        let descriptor = try check("open", path: path) { open(path, flags | O_CLOEXEC, mode) }
        self.init(adopting: descriptor, path: path)
    }

    package convenience init(path: RawPath, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemError) {
        let characters = path.characters
        let descriptor = try check("open", path: path.text) { open(characters, flags | O_CLOEXEC, mode) }
        self.init(adopting: descriptor, path: path.text)
    }

    deinit { close(descriptor) }

    /// The length in bytes.
    package func size() throws(SystemError) -> Int64 {
        var status = stat()
        try check("examine", path: path) { fstat(descriptor, &status) }
        return Int64(status.st_size)
    }

    /// How many bytes of a file are no holes. All, where its file system cannot tell: its count of blocks is none for what is
    /// not on a disk, and comes late where blocks are chosen late.
    /// - Parameter size: its length.
    package func dataBytes(of size: Int64) -> Int64 {
        var count: Int64 = 0
        var (begin, end): (Int64, Int64) = (0, 0)
        while end < size {
            switch clinux_next_data(descriptor, end, &begin, &end) {
            case 1 where end > begin: count += min(end, size) - min(begin, size)
            case 0: return count
            default: return size
            }
        }
        return count
    }

    /// Reads up to `count` bytes at an offset; fewer only at the end of the file.
    package func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try check("read", path: path) {
                bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
                }
            }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Writes all bytes at an offset. After an error some of them may be in the file: truncate to what is known good.
    package func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { bytes throws(SystemError) in
            try write(UnsafeRawBufferPointer(bytes), at: offset)
        }
    }

    /// The same for bytes that lie anywhere.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try check("write", path: path) {
                pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            }
        }
    }

    /// Writes all bytes at the descriptor's own position; for pipes, sockets and terminals.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try check("write", path: path) {
                bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
            }
        }
    }

    /// Writes all bytes to a socket; a peer that is gone is an error (EPIPE), not a SIGPIPE.
    package func send(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try check("write", path: path) {
                bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    package func truncate(to length: Int64) throws(SystemError) {
        try check("truncate", path: path) { ftruncate(descriptor, off_t(length)) }
    }

    /// Waits until the data is on the medium (fdatasync(2)). A failure must not be retried: Linux marks the pages
    /// clean, and a second call would report success for data that is gone.
    package func syncData() throws(SystemError) {
        try check("sync", path: path) { fdatasync(descriptor) }
    }

    /// Takes blocks for the first `length` bytes, so that they are there when the disk is full (posix_fallocate(3)).
    package func reserve(_ length: Int64) throws(SystemError) {
        try check("reserve space for", path: path) { clinux_reserve(descriptor, length) }
    }

    package func sync() throws(SystemError) {
        try check("sync", path: path) { fsync(descriptor) }
    }

    /// Starts to write a range to the medium, so that a later sync has less to wait for (sync_file_range(2)); where the
    /// file system can't, nothing happens.
    package func beginWriteBack(from offset: Int64, count: Int64) {
        _ = clinux_begin_write_back(descriptor, offset, count)
    }

    /// Lets writes go to the medium past the page cache, or through it again. What is written past it lies at addresses and
    /// offsets that are multiples of the file system's blocks (open(2), O_DIRECT).
    /// - Returns: false where the file system can't.
    package func setDirect(_ isDirect: Bool) -> Bool { clinux_set_direct(descriptor, isDirect ? 1 : 0) == 0 }

    /// Waits until everything on the file's file system is on the medium (syncfs(2)): for many files at once.
    package func syncFileSystem() throws(SystemError) {
        try check("sync the file system of", path: path) { clinux_sync_file_system(descriptor) }
    }

    /// Takes the open-file-description lock of one byte without waiting; false when somebody else holds it.
    package func lock(byte: Int64) throws(SystemError) -> Bool {
        if clinux_lock_byte(descriptor, byte) == 0 { return true }
        if errno == EAGAIN || errno == EACCES { return false }
        throw SystemError("lock", path: path)
    }

    package func unlock(byte: Int64) { _ = clinux_unlock_byte(descriptor, byte) }

    /// Whether another open file description holds the lock of a byte.
    package func isLocked(byte: Int64) throws(SystemError) -> Bool {
        try check("query the lock of", path: path) { clinux_byte_is_locked(descriptor, byte) } == 1
    }
}
