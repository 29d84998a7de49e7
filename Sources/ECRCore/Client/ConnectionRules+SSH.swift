package import Profiles
import SSH
import YAML

extension ConnectionRules {
    /// What libssh knows, and what names a host.
    package static let ssh = ConnectionRules(
        algorithms: { key, text in
            guard let kind = AlgorithmKind(rawValue: key) else { return nil }
            guard let unknown = AlgorithmList(text, kind).unknown.first else { return nil }
            let hint = KnownNames(kind.known).hint(for: unknown, label: "known") ?? "remove it"
            return "there is no '\(unknown)' for '\(key)'; \(hint)"
        },
        jump: { text in
            JumpHop(text) == nil ? "'jump' cannot be '\(text)'; write host, user@host or user@host:port" : nil
        })
}
