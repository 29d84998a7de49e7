import CLibSSH
import Glibc
import LinuxSystem

/// What a person has typed or vouched for, kept in this process's memory so that a reconnect need not ask again:
/// unlocked keys, passwords and keys that worked, host keys. Never written to disk.
package final class KeyRing: Sendable {
    /// A key as it was when it was unlocked; a file that is replaced is another key.
    private struct UnlockedKey: @unchecked Sendable {
        // Unchecked because a pointer isn't Sendable; it is only ever copied from, under the lock.
        let key: PrivateKey
        let file: FileIdentity
    }

    private struct Contents {
        var keys: [String: UnlockedKey] = [:]
        /// By account, `user@host:port`.
        var passwords: [String: String] = [:]
        /// Public keys, or certificates, which were all that the server wanted, by account.
        var sufficient: [String: [UInt8]] = [:]
        /// Fingerprints by the host's name in known_hosts.
        var hosts: [String: String] = [:]
    }

    private let contents = Locked(Contents())

    package init() {}

    /// The unlocked key of a file, nil where it was not unlocked or the file is another one by now.
    func key(at path: String) -> PrivateKey? {
        let file = FileIdentity(path)
        return contents.withLock { contents in
            guard let unlocked = contents.keys[path], unlocked.file == file else { return nil }
            return unlocked.key.copy()
        }
    }

    func keep(_ key: PrivateKey, at path: String) {
        guard let copy = key.copy(), let file = FileIdentity(path) else { return }
        let unlocked = UnlockedKey(key: copy, file: file)
        contents.withLock { $0.keys[path] = unlocked }
    }

    func password(of account: String) -> String? { contents.withLock { $0.passwords[account] } }

    /// - Parameters:
    ///   - password: nil forgets it.
    ///   - account: `user@host:port`, as `SSHOptions.account` writes it.
    package func keep(password: String?, of account: String) { contents.withLock { $0.passwords[account] = password } }

    /// The key, in its wire format, that has let an account in without further proof.
    func sufficientKey(of account: String) -> [UInt8]? { contents.withLock { $0.sufficient[account] } }

    func keep(sufficientKey blob: [UInt8], of account: String) {
        contents.withLock { $0.sufficient[account] = blob }
    }

    func forgetSufficientKey(of account: String) { contents.withLock { $0.sufficient[account] = nil } }

    func trusts(_ key: HostKey, as name: String) -> Bool { contents.withLock { $0.hosts[name] == key.fingerprint } }

    func trust(_ key: HostKey, as name: String) { contents.withLock { $0.hosts[name] = key.fingerprint } }
}

/// Enough of a file's status to notice that it was replaced or rewritten.
private struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let seconds: Int64
    let nanoseconds: Int64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}
