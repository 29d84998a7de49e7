/// The algorithms that a connection may use, by kind; nil leaves the choice to the defaults. Each is written as
/// `AlgorithmList` reads it.
package struct SSHAlgorithms: Sendable, Equatable {
    package var kex: String?
    package var ciphers: String?
    package var hostKeys: String?
    package var macs: String?
    package var publicKeys: String?

    package init() {}

    package subscript(kind: AlgorithmKind) -> String? {
        get {
            switch kind {
            case .kex: kex
            case .ciphers: ciphers
            case .hostKeys: hostKeys
            case .macs: macs
            case .publicKeys: publicKeys
            }
        }
        set {
            switch kind {
            case .kex: kex = newValue
            case .ciphers: ciphers = newValue
            case .hostKeys: hostKeys = newValue
            case .macs: macs = newValue
            case .publicKeys: publicKeys = newValue
            }
        }
    }

    /// The complete list for libssh; nil where nothing is to be changed.
    func names(_ kind: AlgorithmKind) -> [String]? { self[kind].map { AlgorithmList($0, kind).names } }

    /// For much data between processors that both have instructions for AES: its GCM is then the fastest cipher by far, and
    /// the slowest without. What somebody has asked for stays.
    package mutating func preferAES() {
        if ciphers == nil { ciphers = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com" }
    }

    /// The host key algorithms, those of known keys in front: a server with several keys then shows a known one.
    func hostKeyNames(preferring types: [String]) -> [String] {
        let all = names(.hostKeys) ?? AlgorithmKind.hostKeys.defaults
        func isPreferred(_ name: String) -> Bool {
            types.contains(name) || types.contains("ssh-rsa") && name.hasPrefix("rsa-sha2-")
        }
        return all.filter(isPreferred) + all.filter { !isPreferred($0) }
    }
}
