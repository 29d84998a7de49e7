package import LinuxSystem

/// What the known_hosts files of a connection say about its host.
///
/// The decision is made here, not by libssh, which reads two files at most, skips revoked keys and knows no aliases.
package struct KnownHosts: Sendable {
    /// A line that is about the host.
    package struct Entry: Sendable, Equatable {
        package let file: String
        package let line: Int
        package let key: HostKey
        package let isRevoked: Bool

        /// `/home/me/.ssh/known_hosts, line 3`
        package var place: String { "\(file), line \(line)" }
    }

    /// How a key stands with the files.
    package enum Standing: Sendable, Equatable {
        case known(Entry)
        /// Nothing is known of the host.
        case unknown
        /// The host is known by these other keys: fatal, whatever a person says.
        case changed([Entry])
        /// The key itself is marked `@revoked`: fatal.
        case revoked(Entry)
    }

    /// The host's name in the files.
    package let name: String
    /// Where a key is added that a person vouches for.
    package let file: String
    private let entries: [Entry]
    /// Lines of the name without the port, where the port is not 22.
    private let portless: [Entry]

    /// Reads the files.
    package init(_ options: SSHOptions) {
        name = options.knownHostsName
        file = options.knownHostsFile
        let files = ([options.knownHostsFile] + options.otherKnownHostsFiles).map { KnownHostsFile(path: $0) }
        let (name, host) = (name, options.host.lowercased())
        entries = files.flatMap { $0.entries(for: name) }
        portless = name.hasPrefix("[") ? files.flatMap { $0.entries(for: host) } : []
    }

    package func standing(of key: HostKey) -> Standing {
        if let revoked = (entries + portless).first(where: { $0.isRevoked && $0.key == key }) {
            return .revoked(revoked)
        }
        let valid = entries.filter { !$0.isRevoked }
        // As in ssh(1), a line without a port vouches for the key on every port, but says nothing against another.
        if let known = (valid + portless).first(where: { $0.key == key }) { return .known(known) }
        return valid.isEmpty ? .unknown : .changed(valid)
    }

    /// The types of the known keys: these are asked for first, so that a server with several keys shows a known one.
    var types: [String] { (entries + portless).filter { !$0.isRevoked }.map(\.key.type) }

    /// Trusts a key from now on: adds it to the user's file, durably. The file is made with mode 0600 where it is
    /// missing, and its directory with 0700.
    package func add(_ key: HostKey) throws(SystemError) {
        try KnownHostsFile(path: file).append(key, for: name)
    }
}
