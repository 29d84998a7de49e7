import CLibZip
import Glibc
import LinuxSystem

/// The first `length` bytes of a file, read by libzip when the archive is written (zip_source_function(3)).
///
/// The file is open only while libzip reads it, so ten thousand of them need one descriptor. libzip owns it from
/// `makeSource` on, through an unbalanced retain that ZIP_SOURCE_FREE releases. Used on the caller's thread only.
final class FileSource {
    let path: String
    let length: Int64
    let modificationTime: Int64
    /// Device and inode: another file under the same name is not what was added.
    private let identity: (UInt64, UInt64)
    private let failures: SourceFailures
    private var file: File?
    private var offset: Int64 = 0
    private var libzipCode = ZIP_ER_OK
    private var systemCode: Int32 = 0

    /// Verifies that the path is a regular file, no link, that holds `length` bytes now; nil for all that it has.
    init(path: String, length: Int64?, failures: SourceFailures) throws(ArchiveError) {
        let (file, status) = try FileSource.open(path)
        guard Int64(status.st_size) >= length ?? 0 else {
            throw ArchiveError(.source, "has \(status.st_size) bytes, not \(length ?? 0)", path: path)
        }
        withExtendedLifetime(file) {}
        self.path = path
        self.length = length ?? Int64(status.st_size)
        self.failures = failures
        modificationTime = Int64(status.st_mtim.tv_sec)
        identity = (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    /// O_NONBLOCK: a FIFO must be refused, not waited for.
    private static func open(_ path: String) throws(ArchiveError) -> (File, stat) {
        do {
            let file = try File(path: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            var status = stat()
            try check("examine", path: path) { fstat(file.descriptor, &status) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw ArchiveError(.source, "is not a regular file", path: path)
            }
            return (file, status)
        } catch let error as ArchiveError {
            throw error
        } catch let error as SystemError {
            let message = error.code == ELOOP ? "is a symbolic link" : error.reason
            throw ArchiveError(.source, message, path: path, systemCode: error.code)
        } catch {
            preconditionFailure("an error of an unknown type: \(error)")
        }
    }

    /// The source for zip_file_add(3); it must be freed where libzip does not take it.
    func makeSource(for archive: OpaquePointer) -> OpaquePointer? {
        let retained = Unmanaged.passRetained(self)
        let source = zip_source_function(
            archive,
            { state, data, count, command in
                let source = Unmanaged<FileSource>.fromOpaque(state!)
                if command == ZIP_SOURCE_FREE {
                    source.release()
                    return 0
                }
                return source.takeUnretainedValue().respond(command, data, count)
            }, retained.toOpaque())
        if source == nil { retained.release() }
        return source
    }

    private func respond(_ command: zip_source_cmd_t, _ data: UnsafeMutableRawPointer?, _ count: UInt64) -> Int64 {
        switch command {
        case ZIP_SOURCE_OPEN: return reopen()
        case ZIP_SOURCE_READ: return read(into: data, count: Int(count))
        case ZIP_SOURCE_CLOSE:
            file = nil
            return 0
        case ZIP_SOURCE_STAT: return describe(data?.assumingMemoryBound(to: zip_stat_t.self))
        case ZIP_SOURCE_ERROR:
            data?.storeBytes(of: libzipCode, as: Int32.self)
            data?.storeBytes(of: systemCode, toByteOffset: MemoryLayout<Int32>.size, as: Int32.self)
            return Int64(2 * MemoryLayout<Int32>.size)
        case ZIP_SOURCE_SUPPORTS:
            let commands = [
                ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
            ]
            // zip_source_make_command_bitmap(3) is variadic, which Swift cannot call.
            return commands.reduce(0) { $0 | 1 << Int64($1.rawValue) }
        default:
            libzipCode = ZIP_ER_OPNOTSUPP
            return -1
        }
    }

    private func reopen() -> Int64 {
        do throws(ArchiveError) {
            let (file, status) = try FileSource.open(path)
            guard (UInt64(status.st_dev), UInt64(status.st_ino)) == identity else {
                throw ArchiveError(.source, "was replaced by another file", path: path)
            }
            self.file = file
            offset = 0
            return 0
        } catch {
            return fail(ZIP_ER_OPEN, error)
        }
    }

    private func read(into data: UnsafeMutableRawPointer?, count: Int) -> Int64 {
        guard let file, let data else { return 0 }
        let wanted = min(count, Int(length - offset))
        guard wanted > 0 else { return 0 }
        do throws(SystemError) {
            let got = try check("read", path: path) { pread(file.descriptor, data, wanted, off_t(offset)) }
            if got == 0 {
                return fail(ZIP_ER_READ, ArchiveError(.source, "became shorter than \(length) bytes", path: path))
            }
            offset += Int64(got)
            return Int64(got)
        } catch {
            return fail(ZIP_ER_READ, ArchiveError(.source, error.reason, path: path, systemCode: error.code))
        }
    }

    /// The length lets libzip decide on ZIP64 before it reads.
    private func describe(_ status: UnsafeMutablePointer<zip_stat_t>?) -> Int64 {
        guard let status else { return -1 }
        zip_stat_init(status)
        status.pointee.size = UInt64(length)
        status.pointee.mtime = time_t(modificationTime)
        status.pointee.valid = UInt64(ZIP_STAT_SIZE | ZIP_STAT_MTIME)
        return Int64(MemoryLayout<zip_stat_t>.size)
    }

    private func fail(_ code: Int32, _ error: ArchiveError) -> Int64 {
        libzipCode = code
        systemCode = error.systemCode
        if failures.first == nil { failures.first = error }
        return -1
    }
}

/// What went wrong with a source while libzip read it: libzip's own error does not say which one it was.
final class SourceFailures {
    var first: ArchiveError?
}
