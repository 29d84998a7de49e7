import CLibSSH

/// What a connection agrees on with its server, one algorithm of each kind. The raw value is the key in a profile.
package enum AlgorithmKind: String, Sendable, CaseIterable {
    case kex
    case ciphers
    case hostKeys = "hostkeys"
    case macs
    /// With which algorithms the user's own keys may sign.
    case publicKeys = "pubkeys"

    /// As in messages.
    var noun: String {
        switch self {
        case .kex: "key exchange method"
        case .ciphers: "cipher"
        case .hostKeys: "host key algorithm"
        case .macs: "MAC"
        case .publicKeys: "signature algorithm"
        }
    }

    /// What is offered where nobody asks for anything else, in the order of preference. Origin: kex.c of libssh 0.10.6.
    var defaults: [String] {
        switch self {
        case .kex:
            [
                "curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
                "ecdh-sha2-nistp521", "diffie-hellman-group18-sha512", "diffie-hellman-group16-sha512",
                "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha256",
            ]
        case .ciphers:
            [
                "chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr",
                "aes192-ctr", "aes128-ctr",
            ]
        case .macs:
            ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"]
        case .hostKeys: AlgorithmKind.plainKeys
        case .publicKeys: AlgorithmKind.certificates + AlgorithmKind.plainKeys
        }
    }

    /// All that can be asked for: the defaults, then what libssh has beyond them for old servers.
    package var known: [String] {
        let beyond: [String] =
            switch self {
            case .kex:
                [
                    "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1",
                ]
            case .ciphers: ["aes256-cbc", "aes192-cbc", "aes128-cbc", "blowfish-cbc", "3des-cbc"]
            case .macs: ["hmac-sha1-etm@openssh.com", "hmac-sha1"]
            case .hostKeys: ["ssh-rsa", "ssh-dss"]
            case .publicKeys: ["ssh-rsa-cert-v01@openssh.com", "ssh-rsa", "ssh-dss"]
            }
        return defaults + beyond.filter { isKnownToLibSSH($0) }
    }

    private static let certificates = [
        "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256-cert-v01@openssh.com",
    ]

    private static let plainKeys = [
        "ssh-ed25519", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256",
    ]

    /// The host key algorithms by type of key: a server has at most one key of each.
    static let hostKeyFamilies = [
        "ssh-ed25519", "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
        "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
    ]

    /// Builds of libssh differ in what they leave out (DSA, Blowfish). Setting an option needs no connection.
    private func isKnownToLibSSH(_ name: String) -> Bool {
        guard let raw = ssh_new() else { return false }
        defer { ssh_free(raw) }
        return options.allSatisfy { ssh_options_set(raw, $0, name) == 0 }
    }

    /// The options of libssh that hold the list.
    var options: [ssh_options_e] {
        switch self {
        case .kex: [SSH_OPTIONS_KEY_EXCHANGE]
        case .ciphers: [SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C]
        case .hostKeys: [SSH_OPTIONS_HOSTKEYS]
        case .macs: [SSH_OPTIONS_HMAC_C_S, SSH_OPTIONS_HMAC_S_C]
        case .publicKeys: [SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES]
        }
    }
}
