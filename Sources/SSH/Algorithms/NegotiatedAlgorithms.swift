import CLibSSH

/// What a connection has agreed on with its server.
package struct NegotiatedAlgorithms: Sendable, Equatable {
    package let kex: String
    /// The cipher from the server to us, or both as `out/in` where they differ.
    package let cipher: String
    /// As `cipher`; `aead-gcm` and `aead-poly1305` where the cipher needs none.
    package let mac: String

    init(_ raw: ssh_session) {
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        func both(_ out: String, _ incoming: String) -> String { out == incoming ? out : "\(out)/\(incoming)" }
        kex = text(ssh_get_kex_algo(raw))
        cipher = both(text(ssh_get_cipher_out(raw)), text(ssh_get_cipher_in(raw)))
        mac = both(text(ssh_get_hmac_out(raw)), text(ssh_get_hmac_in(raw)))
    }
}
