import Hashing
import JSON
import LinuxSystem

/// The secrets of a live run that are known so far, and what they are masked by. Thread-safe: a password that is typed
/// counts from that moment on.
package final class KnownSecrets: Sendable {
    private struct Content {
        var mask = SecretMask()
        var hashes: [String: String] = [:]
    }

    private let content = Locked(Content())

    package init() {}

    package var mask: SecretMask { content.withLock { $0.mask } }

    /// From now on the secret is masked, unless it is too short for that.
    package func add(_ secret: String) { content.withLock { $0.mask.add(secret) } }

    /// Remembers the SHA-256 of a stream as it came, for the ledger. It is never written down: together with the masked
    /// text it would let anybody try out what a short secret was.
    func remember(hash: String, of job: String, _ stream: String) {
        content.withLock { $0.hashes["\(job)/\(stream)"] = hash }
    }

    func hash(of job: String, _ stream: String) -> String? { content.withLock { $0.hashes["\(job)/\(stream)"] } }
}

extension SecretMask {
    /// What names things that must be found again, and what ecr itself has made, is left as it is: the secret of a board
    /// called `raspberry` may well be `raspberry`.
    private static let names: Set<String> = [
        "job", "jobs", "action", "actions", "not_run", "stage", "collector", "target", "invocation", "stream",
        "outcome",
        "kind", "type", "state", "from", "method", "spool", "lost", "target_boot", "boot_id", "previous_boot_id",
        "path",
        "sha256", "remote_sha256", "host", "user", "hostname", "address", "host_key", "host_key_type", "name", "tag",
        "tags", "tools", "time", "running", "unfinished", "finally_skipped",
    ]

    /// An event's data with the secrets in its texts replaced.
    func masked(_ data: JSONObject) -> JSONObject {
        if isEmpty { return data }
        var result = data
        for (key, value) in data.members where !Self.names.contains(key) { result[key] = masked(value) }
        return result
    }

    private func masked(_ json: JSON) -> JSON {
        switch json {
        case .string(let text): .string(masked(text))
        case .array(let items): .array(items.map { masked($0) })
        case .object(let members): .object(masked(members))
        case .null, .bool, .int, .double: json
        }
    }
}
