import CLibSSH

/// A server's public key, as people compare it and as known_hosts files hold it.
package struct HostKey: Sendable, Equatable {
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, …
    package let type: String
    /// `SHA256:…`, as ssh-keygen prints it.
    package let fingerprint: String
    /// The key itself in base64, the third word of a known_hosts line.
    package let base64: String

    init(_ key: ssh_key) {
        type = ssh_key_type_to_char(ssh_key_type(key)).map { String(cString: $0) } ?? "unknown"
        fingerprint = HostKey.fingerprint(key)
        base64 = HostKey.base64(key)
    }

    private static func fingerprint(_ key: ssh_key) -> String {
        var hash: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == 0 else { return "SHA256:?" }
        defer { ssh_clean_pubkey_hash(&hash) }
        guard let text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length) else { return "SHA256:?" }
        defer { ssh_string_free_char(text) }
        return String(cString: text)
    }

    private static func base64(_ key: ssh_key) -> String {
        var text: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(key, &text) == SSH_OK, let text else { return "" }
        defer { ssh_string_free_char(text) }
        return String(cString: text)
    }
}
