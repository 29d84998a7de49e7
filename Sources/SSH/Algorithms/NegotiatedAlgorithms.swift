import CLibSSH

/// What a connection has agreed on with its server.
package struct NegotiatedAlgorithms: Sendable, Equatable {
    package let kex: String
    /// The cipher from the server to us, or both as `out/in` where they differ.
    package let cipher: String
    /// As `cipher`; `aead-gcm` and `aead-poly1305` where the cipher needs none.
    package let mac: String
    /// Whether the key exchange was the strict one.
    package let isStrict: Bool

    init(kex: String, cipher: String, mac: String, isStrict: Bool) {
        self.kex = kex
        self.cipher = cipher
        self.mac = mac
        self.isStrict = isStrict
    }

    init(_ raw: ssh_session, isStrict: Bool) {
        self.isStrict = isStrict
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        func both(_ out: String, _ incoming: String) -> String { out == incoming ? out : "\(out)/\(incoming)" }
        kex = text(ssh_get_kex_algo(raw))
        cipher = both(text(ssh_get_cipher_out(raw)), text(ssh_get_cipher_in(raw)))
        mac = both(text(ssh_get_hmac_out(raw)), text(ssh_get_hmac_in(raw)))
    }

    /// What is worth saying: a man in the middle can drop the first packets of such a connection (Terrapin,
    /// CVE-2023-48795).
    package var warning: String? {
        let isExposed = cipher.contains("chacha20") || cipher.contains("-cbc") && mac.contains("-etm")
        guard !isStrict, isExposed else { return nil }
        return "the server knows no strict key exchange, and \(cipher) is then open to the Terrapin attack; "
            + "algorithms: {ciphers: [-chacha20*, -*cbc]} avoids it"
    }
}
