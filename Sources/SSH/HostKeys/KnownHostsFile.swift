import CLibSSH
import Glibc
import LinuxSystem

/// One known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). libssh parses and matches the single lines.
struct KnownHostsFile {
    let path: String

    /// The lines for a host. A file that cannot be read has none, as for ssh(1).
    /// - Parameter name: as such files write it: `host`, or `[host]:port`.
    func entries(for name: String) -> [KnownHosts.Entry] {
        let bytes = (try? FileSystem.read(path)) ?? []
        var found: [KnownHosts.Entry] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            guard let first = words.first, !first.hasPrefix("#"), first != "@cert-authority" else { continue }
            let isRevoked = first == "@revoked"
            let entry = words.dropFirst(isRevoked ? 1 : 0).joined(separator: " ")
            guard let key = KnownHostsFile.key(in: entry, for: name) else { continue }
            found.append(KnownHosts.Entry(file: path, line: index + 1, key: key, isRevoked: isRevoked))
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

    /// Adds a line in one write, and waits until it is on the medium: a person has vouched for it.
    func append(_ key: HostKey, for name: String) throws(SystemError) {
        // A name that the format would read as a pattern, a list or two words.
        guard !name.isEmpty, !name.utf8.contains(where: { $0 <= 0x20 || ",*?!|#".utf8.contains($0) }) else {
            throw SystemError("write the host name '\(name)' to", path: path, code: EINVAL)
        }
        try FileSystem.makeDirectories(FileSystem.parent(of: path), mode: 0o700)
        let file = try File(path: path, O_RDWR | O_APPEND | O_CREAT, mode: 0o600)
        let size = try file.size()
        let isTorn = size > 0 ? try file.read(at: size - 1, count: 1) != [0x0A] : false
        try file.write(Array("\(isTorn ? "\n" : "")\(name) \(key.type) \(key.base64)\n".utf8))
        // /dev/null, where nobody wants a memory, cannot be synced.
        do { try file.sync() } catch  where error.code == EINVAL { return }
        try FileSystem.syncDirectory(FileSystem.parent(of: path))
    }
}
