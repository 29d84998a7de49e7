import Glibc

/// A failed system call: what was tried, on which path, and the kernel's reason (errno(3)).
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    package let code: Int32
    package let operation: String
    package let path: String?

    package init(_ operation: String, path: String? = nil, code: Int32 = errno) {
        self.code = code
        self.operation = operation
        self.path = path
    }

    /// The C library's words for the code, for example "No space left on device".
    package var reason: String { String(cString: strerror(code)) }

    package var description: String {
        if let path { "cannot \(operation) \(path): \(reason)" } else { "cannot \(operation): \(reason)" }
    }

    /// The medium could not take the bytes: exit code 74 rather than a usage error.
    package var isStorageFailure: Bool { [ENOSPC, EDQUOT, EROFS, EIO, EFBIG].contains(code) }
}

/// Repeats a call that a signal interrupted (EINTR) and turns -1 into a `SystemError`.
@discardableResult
package func check<Result: SignedInteger>(
    _ operation: @autoclosure () -> String, path: String? = nil, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError(operation(), path: path, code: code) }
    }
}
