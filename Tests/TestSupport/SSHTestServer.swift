import LinuxSystem

/// What every private SSH server of the tests offers, whichever program it is.
package protocol SSHTestServer: Sendable {
    /// Where the server's and the client's files lie.
    var scratch: ScratchDirectory { get }
    /// The private key that the server lets in (OpenSSH's format, ed25519, no passphrase).
    var clientKey: String { get }
    /// A known_hosts file with the server's key.
    var knownHosts: String { get }
    /// Starts, stops and cuts the server.
    var process: LoopbackServer { get }
}

extension SSHTestServer {
    package var host: String { process.host }
    package var port: Int { process.port }
    /// The name of the current user.
    package var user: String { Host.userName }
    package var log: String { process.log }

    /// Arguments for ssh(1) that reach this server and use nothing of the user's own: options, then the host.
    package var clientArguments: [String] {
        [
            "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", clientKey,
            "-o", "UserKnownHostsFile=\(knownHosts)", "-o", "GlobalKnownHostsFile=/dev/null", "-p", String(port),
            "\(user)@\(host)",
        ]
    }

    /// A paragraph of ssh_config(5) by which ssh(1) and whoever reads the same file reach this server by a name.
    package func configHost(_ alias: String) -> String {
        """
        Host \(alias)
          HostName \(host)
          Port \(port)
          User \(user)
          IdentityFile \(clientKey)
          UserKnownHostsFile \(knownHosts)
        """
    }

    package func stop() async throws { try await process.stop() }
    package func restart() async throws { try await process.restart() }
    package func killConnections() { process.killConnections() }
    package func signalConnections(_ number: Int32) { process.signalConnections(number) }

    /// Ends all that was started over the server's connections and still runs.
    package func endSessions() { Processes.endSessions(ofServerAt: host, port) }
}

/// An ed25519 key pair without a passphrase in OpenSSH's format.
struct KeyPair: Sendable {
    /// The private key's file.
    let path: String
    /// `ssh-ed25519 AAAA… comment` with its newline.
    let publicLine: String
    /// `SHA256:…`
    let fingerprint: String

    static func generate(at path: String) async throws -> KeyPair {
        let keygen = "/usr/bin/ssh-keygen"
        try await Command.runSuccessfully(keygen, ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path])
        let listing = try await Command.runSuccessfully(keygen, ["-l", "-E", "sha256", "-f", path])
        return KeyPair(
            path: path, publicLine: String(decoding: try FileSystem.read("\(path).pub"), as: UTF8.self),
            fingerprint: String(listing.outputText.split(separator: " ")[1]))
    }
}
