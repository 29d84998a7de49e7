import Glibc
import LinuxSystem

/// A fresh directory of mode 0700 below `$TMPDIR` or `/tmp`, removed with its last reference.
///
/// It is kept when `ECR_KEEP_SCRATCH` is set, so that a failed test can be looked at.
package final class ScratchDirectory: Sendable {
    /// The absolute path, without a slash at its end.
    package let path: String

    /// - Parameter isInMemory: for tests that sync a thousand times, and test nothing about it; the memory is /dev/shm.
    package init(isInMemory: Bool = false) throws {
        let usual = Host.environment("TMPDIR") ?? "/tmp"
        let parent = isInMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : usual
        var template = Array("\(parent)/ecr-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("create a scratch directory") }
        path = FileSystem.absolute(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    deinit { remove() }

    /// Removes the directory before its last reference is gone; a second call does nothing.
    package func remove() {
        guard Host.environment("ECR_KEEP_SCRATCH") == nil, FileSystem.exists(path) else { return }
        do { try FileSystem.removeTree(path) } catch { print("scratch is left behind: \(error)") }
    }

    /// The absolute path of a name in the directory, whether it exists or not.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, makes the directories above it, and returns its absolute path.
    @discardableResult
    package func write(_ name: String, _ text: String, mode: UInt32 = 0o600) throws -> String {
        try write(name, bytes: Array(text.utf8), mode: mode)
    }

    @discardableResult
    package func write(_ name: String, bytes: [UInt8], mode: UInt32 = 0o600) throws -> String {
        let path = path(name)
        try FileSystem.makeDirectories(FileSystem.parent(of: path))
        let file = try File(path: path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.write(bytes, at: 0)
        return path
    }

    /// The text of a file in the directory.
    package func read(_ name: String) throws -> String {
        String(decoding: try FileSystem.read(path(name)), as: UTF8.self)
    }
}
