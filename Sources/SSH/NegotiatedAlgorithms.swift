import CLibSSH

/// What both sides of a connection have agreed on, by SSH's names (RFC 4253, section 7.1).
package struct NegotiatedAlgorithms: Sendable, Equatable {
    package let kex: String
    /// For what the server sends, which is nearly everything.
    package let cipher: String
    /// For what the server sends; a name of libssh's own where the cipher is its own MAC.
    package let mac: String
}

extension SSHSession {
    /// Nil once the session is over.
    package var algorithms: NegotiatedAlgorithms? {
        guard let raw else { return nil }
        func text(_ name: UnsafePointer<CChar>?) -> String { name.map { String(cString: $0) } ?? "unknown" }
        return NegotiatedAlgorithms(
            kex: text(ssh_get_kex_algo(raw)), cipher: text(ssh_get_cipher_in(raw)),
            mac: text(ssh_get_hmac_in(raw)))
    }
}
