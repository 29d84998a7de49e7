import JSON
import SSH

/// What the making of a connection says about a target.
struct ConnectionFindings {
    let options: SSHOptions
    let address: String
    let banner: String
    let seconds: Double
    let hostKey: (type: String, fingerprint: String)
    let algorithms: NegotiatedAlgorithms
    /// What let us in.
    let credentials: [String]

    var all: [Finding] { [reachable, knownKey, login, negotiated] }

    private var reachable: Finding {
        let name = options.host == address ? address : "\(options.host) (\(address))"
        return Finding(
            "reachable", .ok, "\(name) port \(options.port) in \(Int((seconds * 1000).rounded())) ms, \(banner)",
            details: [
                "address": .string(address), "port": JSON(options.port), "seconds": .double(seconds),
                "server": .string(banner),
            ])
    }

    private var knownKey: Finding {
        let source = options.pinnedHostKey == nil ? "known" : "as pinned"
        return Finding(
            "host key", .ok, "\(source): \(hostKey.type) \(hostKey.fingerprint)",
            details: ["type": .string(hostKey.type), "fingerprint": .string(hostKey.fingerprint)])
    }

    private var login: Finding {
        Finding(
            "login", .ok, "as \(options.user), by \(credentials.joined(separator: " and "))",
            details: ["user": .string(options.user), "by": JSON(strings: credentials)])
    }

    /// Origin: what OpenSSH has disabled by default since 2017 (CBC, 7.6) and 2021 (SHA-1 signatures, 8.8).
    private static let old = ["sha1", "cbc", "arcfour", "3des", "hmac-md5", "group1-"]

    private var negotiated: Finding {
        let names = [algorithms.kex, algorithms.cipher, algorithms.mac]
        let details: JSONObject = [
            "kex": .string(algorithms.kex), "cipher": .string(algorithms.cipher), "mac": .string(algorithms.mac),
        ]
        let message = names.joined(separator: ", ")
        let weak = names.filter { name in Self.old.contains { name.contains($0) } }
        if weak.isEmpty { return Finding("algorithms", .ok, message, details: details) }
        return Finding(
            "algorithms", .warning, "\(message): \(weak.joined(separator: ", ")) is too weak today",
            hint: "update the target's SSH server", details: details)
    }

    /// Lines of ssh_config that apply to the host and that ecr does not carry out; nil where there are none.
    static func ignoredSettings(_ options: SSHOptions) -> Finding? {
        let ignored = options.ignoredSettings
        guard !ignored.isEmpty else { return nil }
        let details: JSONObject = ["ignored": JSON(strings: ignored.map(\.description))]
        let grave = ignored.filter(\.matters)
        if let first = grave.first {
            let more = grave.count > 1 ? ", and \(grave.count - 1) more" : ""
            return Finding(
                "ssh config", .warning, "not carried out: \(first)\(more)",
                hint: "ssh may connect differently; write what is needed into `connection:` of the profile",
                details: details)
        }
        let words = Set(ignored.compactMap { $0.text.split(whereSeparator: { " \t=".contains($0) }).first }).sorted()
        return Finding(
            "ssh config", .ok, "without effect on ecr: \(words.joined(separator: ", "))", details: details)
    }

    /// As far as it came: the steps before the one that failed are told as done.
    static func failed(_ error: SSHError) -> [Finding] {
        let reached = Finding("reachable", .ok, "an SSH server answers")
        switch error.code {
        case .hostKeyUnknown, .hostKeyChanged, .hostKeyRevoked:
            return [reached, Finding("host key", .failed, error.message, hint: error.hint)]
        case .authenticationFailed, .keyUnusable:
            return [
                reached, Finding("host key", .ok, "known"), Finding("login", .failed, error.message, hint: error.hint),
            ]
        case .unreachable: return [Finding("reachable", .failed, error.message, hint: error.hint)]
        case .noCommonAlgorithm: return [reached, Finding("algorithms", .failed, error.message, hint: error.hint)]
        case .configuration: return [Finding("configuration", .failed, error.message, hint: error.hint)]
        case .channelRefused, .connectionLost, .closed, .sftp, .protocolViolation:
            return [Finding("link", .failed, error.message, hint: error.hint)]
        }
    }
}
