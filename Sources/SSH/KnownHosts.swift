import CLibSSH
import LinuxSystem

/// One known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). libssh decides whether a key is trusted; this reads
/// what it does not tell: revoked keys, which it skips, and the line on which another key stands.
struct KnownHosts {
    /// A line that is about the host.
    struct Line {
        let number: Int
        let key: HostKey
        let isRevoked: Bool
    }

    let path: String

    /// The system's file, nil where it has none.
    static var globalFile: String? {
        let path = "/etc/ssh/ssh_known_hosts"
        return FileSystem.exists(path) ? path : nil
    }

    /// The lines for a host. A file that cannot be read has none, as for libssh.
    func lines(host: String, port: Int) -> [Line] {
        let bytes = (try? FileSystem.read(path)) ?? []
        let name = port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
        var found: [Line] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            guard let first = words.first, !first.hasPrefix("#"), first != "@cert-authority" else { continue }
            let isRevoked = first == "@revoked"
            let entry = words.dropFirst(isRevoked ? 1 : 0).joined(separator: " ")
            guard let key = KnownHosts.key(in: entry, for: name) else { continue }
            found.append(Line(number: index + 1, key: key, isRevoked: isRevoked))
        }
        return found
    }

    /// The key of an entry if its pattern, hashed or not, matches the host.
    private static func key(in entry: String, for name: String) -> HostKey? {
        var parsed: UnsafeMutablePointer<ssh_knownhosts_entry>?
        guard !entry.isEmpty, ssh_known_hosts_parse_line(name, entry, &parsed) == SSH_OK, let parsed else {
            return nil
        }
        defer { ssh_knownhosts_entry_free(parsed) }
        return HostKey(parsed.pointee.publickey)
    }
}
