import CLibSSH
import Glibc
import LinuxSystem

/// A private key that was read from a file.
final class PrivateKey {
    let pointer: ssh_key

    /// Reads an unencrypted key that nobody else may read, by the rule of ssh(1).
    /// - Throws: `keyUnusable` with the reason.
    init(path: String) throws(SSHError) {
        try PrivateKey.examine(path)
        var key: ssh_key?
        var asked = false
        // libssh asks for a passphrase only when the key is encrypted.
        let ask: ssh_auth_callback = { _, _, _, _, _, user in
            user!.assumingMemoryBound(to: Bool.self).pointee = true
            return -1
        }
        let result = withUnsafeMutablePointer(to: &asked) {
            ssh_pki_import_privkey_file(path, nil, ask, UnsafeMutableRawPointer($0), &key)
        }
        guard result == SSH_OK, let key else {
            if asked {
                throw SSHError(
                    .keyUnusable, "the key \(path) is encrypted",
                    hint: "use ssh-agent: ssh-add '\(path)', and name no key file, so that the agent's keys are tried")
            }
            throw SSHError(.keyUnusable, "\(path) is not a private key that can be read")
        }
        pointer = key
    }

    deinit { ssh_key_free(pointer) }

    private static func examine(_ path: String) throws(SSHError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw unreadable(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SSHError(.keyUnusable, "cannot use the key \(path): not a regular file")
        }
        // ssh(1) asks this of the user's own keys only: a key of root's may be shared with a group on purpose.
        if status.st_uid == getuid(), status.st_mode & 0o077 != 0 {
            throw SSHError(
                .keyUnusable,
                "the key \(path) may be read by others (mode \(String(status.st_mode & 0o777, radix: 8)))",
                hint: "chmod 600 '\(path)'")
        }
        guard access(path, R_OK) == 0 else { throw unreadable(path) }
    }

    private static func unreadable(_ path: String) -> SSHError {
        SSHError(.keyUnusable, "cannot use the key \(path): \(String(cString: strerror(errno)))")
    }
}
