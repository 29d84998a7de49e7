import CLibZip
import Glibc
import LinuxSystem

/// Why an archive could not be written or read. Match on `code`, never on the text.
package struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// A name that must not stand in an archive: absolute, `..`, taken already and the like.
        case name
        /// A file that was to be added is missing, is no regular file, or has changed since it was added.
        case source
        /// The archive itself could not be opened, read, written or put in its place.
        case system
        /// The file is no ZIP archive.
        case notAnArchive
        /// The archive contradicts itself: a wrong checksum, a truncated or inconsistent entry.
        case damaged
        /// An entry is longer than the caller's limit.
        case limit
        /// An entry needs what this build cannot do: a password or an unknown compression method.
        case unsupported
        case cancelled
        /// Anything else that libzip says.
        case other
    }

    package let code: Code
    package let message: String
    /// The archive, or the source where `code` is `.source`.
    package let path: String
    /// The kernel's reason (errno(3)), 0 where there is none.
    package let systemCode: Int32

    init(_ code: Code, _ message: String, path: String, systemCode: Int32 = 0) {
        self.code = code
        self.message = message
        self.path = path
        self.systemCode = systemCode
    }

    package var description: String { "\(path): \(message)" }

    /// The medium could not take the bytes: exit code 74 rather than a usage error.
    package var isStorageFailure: Bool { [ENOSPC, EDQUOT, EROFS, EIO, EFBIG].contains(systemCode) }
}

extension ArchiveError {
    init(_ error: SystemError, code: Code = .system, path: String) {
        self.init(code, error.description, path: path, systemCode: error.code)
    }

    /// Copies what libzip says at once: the text lives in the archive's own memory (zip_error_strerror(3)).
    init(_ error: UnsafeMutablePointer<zip_error_t>, path: String) {
        self.init(
            Code(libzip: zip_error_code_zip(error)), String(cString: zip_error_strerror(error)), path: path,
            systemCode: ArchiveError.systemCode(error))
    }

    /// From the code that zip_open(3) leaves, with errno where the code asks for it.
    init(openCode: Int32, path: String) {
        let systemCode = errno
        var error = zip_error_t()
        zip_error_init_with_code(&error, openCode)
        defer { zip_error_fini(&error) }
        let hasReason = zip_error_system_type(&error) == ZIP_ET_SYS
        if hasReason { zip_error_set(&error, openCode, systemCode) }
        self.init(&error, path: path)
    }

    private static func systemCode(_ error: UnsafeMutablePointer<zip_error_t>) -> Int32 {
        if zip_error_system_type(error) == ZIP_ET_SYS { return zip_error_code_system(error) }
        return zip_error_code_zip(error) == ZIP_ER_NOENT ? ENOENT : 0
    }
}

extension ArchiveError.Code {
    fileprivate init(libzip code: Int32) {
        switch code {
        case ZIP_ER_NOZIP: self = .notAnArchive
        case ZIP_ER_INCONS, ZIP_ER_CRC, ZIP_ER_ZLIB, ZIP_ER_EOF: self = .damaged
        case ZIP_ER_COMPNOTSUPP, ZIP_ER_ENCRNOTSUPP, ZIP_ER_NOPASSWD, ZIP_ER_WRONGPASSWD: self = .unsupported
        case ZIP_ER_CANCELLED: self = .cancelled
        case ZIP_ER_OPEN, ZIP_ER_READ, ZIP_ER_WRITE, ZIP_ER_SEEK, ZIP_ER_CLOSE, ZIP_ER_RENAME, ZIP_ER_TMPOPEN,
            ZIP_ER_NOENT, ZIP_ER_REMOVE:
            self = .system
        default: self = .other
        }
    }
}
