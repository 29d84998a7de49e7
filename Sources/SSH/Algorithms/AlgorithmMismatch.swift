/// A key exchange without a common algorithm, read out of libssh's message (kex.c, `ssh_kex_select_methods`):
/// `kex error : no match for method kex algos: server [a,b], client [c]`. It is cut at 1024 bytes.
struct AlgorithmMismatch {
    let kind: AlgorithmKind
    /// What the server has.
    let offered: [String]

    init?(_ message: String) {
        guard let start = message.firstRange(of: "no match for method "),
            let list = message[start.upperBound...].firstRange(of: ": server [")
        else { return nil }
        let name = message[start.upperBound..<list.lowerBound]
        guard let kind = AlgorithmMismatch.kinds.first(where: { name.hasPrefix($0.prefix) })?.kind else { return nil }
        self.kind = kind
        let rest = message[list.upperBound...]
        let end = rest.firstIndex(of: "]")
        var offered = rest[..<(end ?? rest.endIndex)].split(separator: ",").map(String.init)
        if end == nil { offered.removeLast() }
        // Not algorithms, but signals of the protocol (RFC 8308, OpenSSH's PROTOCOL).
        self.offered = offered.filter { !$0.hasPrefix("ext-info-") && !$0.hasPrefix("kex-strict-") }
    }

    /// Origin: `ssh_kex_descriptions` in kex.c.
    private static let kinds: [(prefix: String, kind: AlgorithmKind)] = [
        ("kex algos", .kex), ("server host key algo", .hostKeys), ("encryption", .ciphers), ("mac algo", .macs),
    ]

    /// - Parameter place: the server, as in messages.
    func error(at place: String) -> SSHError {
        let usable = offered.filter { kind.known.contains($0) }
        let hint: String
        if let first = usable.first {
            hint = "an old server: put `algorithms: {\(kind.rawValue): [+\(first)]}` below connection: in the profile"
        } else {
            hint = "libssh knows none of them; it knows \(kind.known.joined(separator: ", "))"
        }
        return SSHError(
            .noCommonAlgorithm(kind),
            "cannot reach \(place): no common \(kind.noun); the server offers \(offered.joined(separator: ", "))",
            hint: hint)
    }
}
