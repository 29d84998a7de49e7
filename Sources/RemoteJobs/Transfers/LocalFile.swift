import Glibc
import Hashing
package import LinuxSystem

/// A regular file of this machine that is to go to a target.
package struct LocalFile: Sendable, Equatable {
    /// Absolute and without links.
    package let path: RawPath
    /// Below the directory that was asked for; the name alone of a file that was. Raw.
    package private(set) var relative: [UInt8]
    package let size: Int64
    /// The nine bits for owner, group and others.
    package let permissions: UInt32
    /// setuid, setgid and sticky, which are not carried over: on the target the file is another owner's, whose rights it
    /// would lend.
    package let specialBits: UInt32
    let version: Version

    /// As long as all of it stays the same, so does the content.
    struct Version: Sendable, Equatable {
        private let device: UInt64
        private let inode: UInt64
        private let size: Int64
        private let (seconds, nanoseconds): (Int64, Int64)

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = Int64(status.st_mtim.tv_sec)
            nanoseconds = Int64(status.st_mtim.tv_nsec)
        }
    }

    init(_ path: RawPath, _ relative: [UInt8], _ status: stat) {
        self.path = path
        self.relative = relative
        size = Int64(status.st_size)
        permissions = status.st_mode & 0o777
        specialBits = status.st_mode & 0o7000
        version = Version(status)
    }
}

/// Reads a file for a transfer and takes its hash on the way. Touched by one worker only.
final class LocalReader: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let local: LocalFile
    private let file: File
    private var hash = SHA256()
    private var offset: Int64 = 0

    /// Origin: an SSH channel takes 256 KiB at a time; a piece of this size makes the hop to this thread cost nothing.
    private static let piece = 1 << 20

    /// - Throws: `TransferFailure` where it is not the file that was found any more.
    init(_ local: LocalFile) throws {
        self.local = local
        do throws(SystemError) {
            // O_NONBLOCK: a FIFO that has taken the name is to be refused, not waited for.
            file = try File(path: local.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        } catch { throw Self.unreadable(error) }
        try requireSame()
    }

    /// The next bytes; empty at the end. What a file has grown by meanwhile is not read.
    func next() throws -> [UInt8] {
        let count = Int(min(Int64(Self.piece), local.size - offset))
        // What says that it is empty is looked into, too.
        if count <= 0 && local.size > 0 { return [] }
        let bytes = try read(max(1, count))
        guard bytes.count == count else {
            try requireSame()
            throw Self.made
        }
        hash.update(bytes)
        offset += Int64(bytes.count)
        return bytes
    }

    /// Reads the first bytes for the hash alone.
    /// - Returns: their SHA-256.
    func skip(_ count: Int64) throws -> String {
        while offset < count {
            let bytes = try read(Int(min(Int64(Self.piece), count - offset)))
            if bytes.isEmpty { throw Self.changed }
            hash.update(bytes)
            offset += Int64(bytes.count)
        }
        return hash.hexDigest()
    }

    /// - Throws: `TransferFailure`: a bad sector of this file says nothing of the disk that has the record.
    private func read(_ count: Int) throws(TransferFailure) -> [UInt8] {
        do throws(SystemError) { return try file.read(at: offset, count: count) } catch { throw Self.unreadable(error) }
    }

    /// Begins anew.
    func rewind() {
        hash = SHA256()
        offset = 0
    }

    /// The SHA-256 of the whole file, once all of it was read.
    func finish() throws -> String {
        try requireSame()
        return hash.hexDigest()
    }

    private func requireSame() throws(TransferFailure) {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            LocalFile.Version(status) == local.version
        else { throw Self.changed }
    }

    private static let changed = local("it changed while it was sent; send it again")

    /// The kernel makes up files of /proc and /sys when they are read.
    private static var made: TransferFailure {
        var failure = local("it is not as long as it says, like what the kernel makes up; send a copy of it")
        failure.isMadeUp = true
        return failure
    }

    private static func unreadable(_ error: SystemError) -> TransferFailure {
        local("cannot be read here: \(error.reason)")
    }

    private static func local(_ reason: String) -> TransferFailure {
        var failure = TransferFailure(reason)
        failure.isLocal = true
        return failure
    }
}

extension LocalFile {
    /// The same file under another name.
    package func called(_ name: [UInt8]) -> LocalFile {
        var file = self
        file.relative = name
        return file
    }

    /// Whether its beginning can be read, and it is the file that was found.
    package var isAsItWas: Bool { (try? LocalReader(self).next()) != nil }

    /// The SHA-256 of the content. Blocks its thread.
    package func hash() throws -> String {
        let reader = try LocalReader(self)
        while try !reader.next().isEmpty {}
        return try reader.finish()
    }
}
