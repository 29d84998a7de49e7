import CLibSSH
import LinuxSystem

/// Decides whether the server is the one that the user means, before anything is sent to it. Strict: a key that is
/// not known is an error.
struct HostKeyCheck {
    let options: SSHOptions
    let raw: ssh_session

    /// The server's key, if it is trusted.
    func trustedKey() throws(SSHError) -> HostKey {
        var pointer: ssh_key?
        guard ssh_get_server_publickey(raw, &pointer) == SSH_OK, let pointer else {
            throw SSHError(.protocolViolation, "\(options.place) has shown no host key")
        }
        defer { ssh_key_free(pointer) }
        let key = HostKey(pointer)
        if let pin = options.pinnedHostKey {
            try compare(key, withPin: pin)
        } else {
            try rejectRevoked(key)
            try consultKnownHosts(key)
        }
        return key
    }

    private func compare(_ key: HostKey, withPin pin: String) throws(SSHError) {
        guard key.fingerprint != pin else { return }
        throw SSHError(
            .hostKeyChanged,
            "the host key of \(options.place) is not the pinned one: it shows \(key.type) \(key.fingerprint), "
                + "pinned is \(pin)",
            hint: "find out why before you connect; if the target was reinstalled, correct host_key: in the profile")
    }

    private var files: [KnownHosts] {
        ([options.knownHostsFile] + [KnownHosts.globalFile].compactMap { $0 }).map { KnownHosts(path: $0) }
    }

    private func rejectRevoked(_ key: HostKey) throws(SSHError) {
        for file in files {
            for line in file.lines(host: options.host, port: options.port) where line.isRevoked && line.key == key {
                throw SSHError(
                    .hostKeyRevoked,
                    "the host key of \(options.place), \(key.type) \(key.fingerprint), is revoked by "
                        + "\(file.path), line \(line.number)")
            }
        }
    }

    private func consultKnownHosts(_ key: HostKey) throws(SSHError) {
        switch ssh_session_is_known_server(raw) {
        case SSH_KNOWN_HOSTS_OK: return
        case SSH_KNOWN_HOSTS_CHANGED, SSH_KNOWN_HOSTS_OTHER: throw changed(key)
        case SSH_KNOWN_HOSTS_UNKNOWN, SSH_KNOWN_HOSTS_NOT_FOUND: throw unknown(key)
        default:
            throw SSHError(
                .hostKeyUnknown,
                "cannot check the host key of \(options.place) in \(options.knownHostsFile): \(lastError(raw))")
        }
    }

    private func changed(_ key: HostKey) -> SSHError {
        var known: [String] = []
        for file in files {
            for line in file.lines(host: options.host, port: options.port) where !line.isRevoked {
                known.append("\(file.path), line \(line.number), says \(line.key.type) \(line.key.fingerprint)")
            }
        }
        return SSHError(
            .hostKeyChanged,
            "the host key of \(options.place) has changed: it shows \(key.type) \(key.fingerprint); "
                + known.joined(separator: "; "),
            hint: "somebody may stand in between. If the target was reinstalled: "
                + "ssh-keygen -f '\(options.knownHostsFile)' -R '\(knownHostsName)'")
    }

    private func unknown(_ key: HostKey) -> SSHError {
        SSHError(
            .hostKeyUnknown,
            "the host key of \(options.place) is not known: it shows \(key.type) \(key.fingerprint)",
            hint: "compare the fingerprint on the target, then: "
                + "ssh-keyscan -p \(options.port) \(options.host) >> '\(options.knownHostsFile)'\n"
                + "or put host_key: \"\(key.fingerprint)\" into the profile")
    }

    /// The host's name as known_hosts writes it.
    private var knownHostsName: String {
        options.port == 22 ? options.host : "[\(options.host)]:\(options.port)"
    }
}
