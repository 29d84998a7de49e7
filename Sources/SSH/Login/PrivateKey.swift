import CLibSSH
import Glibc
import LinuxSystem

/// A private key that was read from a file. Belongs to one thread at a time.
final class PrivateKey {
    let pointer: ssh_key

    private init(_ pointer: ssh_key) { self.pointer = pointer }

    deinit { ssh_key_free(pointer) }

    /// Reads a key that nobody else may read, by the rule of ssh(1).
    /// - Returns: nil for an encrypted one.
    /// - Throws: `keyUnusable` with the reason.
    static func read(_ path: String) throws(SSHError) -> PrivateKey? {
        try examine(path)
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
        if result == SSH_OK, let key { return PrivateKey(key) }
        guard asked else { throw SSHError(.keyUnusable, "\(path) is not a private key that can be read") }
        return nil
    }

    /// Reads an encrypted key; nil when the passphrase is wrong.
    static func unlock(_ path: String, _ passphrase: String) -> PrivateKey? {
        var key: ssh_key?
        guard ssh_pki_import_privkey_file(path, passphrase, nil, nil, &key) == SSH_OK, let key else { return nil }
        return PrivateKey(key)
    }

    /// An independent copy.
    func copy() -> PrivateKey? { ssh_key_dup(pointer).map { PrivateKey($0) } }

    /// The public half in its wire format.
    var publicBlob: [UInt8]? {
        var text: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(pointer, &text) == SSH_OK, let text else { return nil }
        defer { ssh_string_free_char(text) }
        return Base64.decode(String(cString: text))
    }

    /// A copy that shows a certificate instead of its public half.
    /// - Returns: nil where libssh cannot read the certificate, or it is for another key.
    func certified(by certificate: Certificate) -> PrivateKey? {
        guard certificate.keyBlob == publicBlob, let copy = copy() else { return nil }
        var certified: ssh_key?
        guard ssh_pki_import_cert_file(certificate.path, &certified) == SSH_OK, let certified else { return nil }
        defer { ssh_key_free(certified) }
        return ssh_pki_copy_cert_to_privkey(certified, copy.pointer) == SSH_OK ? copy : nil
    }

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
