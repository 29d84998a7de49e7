/// How to reach a server, how to know it, and how to log in.
package struct SSHOptions: Sendable {
    /// A host name or a numeric address; also the name that is looked up in known_hosts.
    package var host: String
    package var port: Int
    package var user: String
    /// How a person names the target on a command line: a profile, or `user@host`. For messages.
    package var reference: String

    // MARK: The server's key

    /// An absolute path in OpenSSH's format; the file need not exist. New keys are written to it.
    package var knownHostsFile: String
    /// Further files that are read.
    package var otherKnownHostsFiles = SSHOptions.globalKnownHostsFiles
    /// The name to look up in known_hosts instead of host and port.
    package var hostKeyAlias: String?
    /// `SHA256:…` as ssh-keygen prints it; then no known_hosts file is consulted.
    package var pinnedHostKey: String?

    // MARK: Logging in

    /// The only private key to offer, from the agent or from its file.
    package var keyFile: String?
    /// Private keys to offer besides the agent's; nil for the usual files in `~/.ssh`. Not used with `keyFile`.
    package var identityFiles: [String]?
    /// Certificates to offer; where there are none, `<key>-cert.pub` beside each key.
    package var certificateFiles: [String] = []
    /// Whether the agent's other keys, which no file names, are kept back.
    package var usesIdentitiesOnly = false
    /// The agent's socket; nil for `$SSH_AUTH_SOCK`, "" for no agent.
    package var agentSocket: String?
    /// Asks a person; nil refuses whatever would need one.
    package var ask: SSHAsk?
    /// What need not be asked twice. Copies of these options share it.
    package var keyRing = KeyRing()

    // MARK: The connection

    /// Seconds for everything until the session is authenticated, jump hosts included, but not the time of answers.
    package var timeout: Double
    /// After so many seconds of silence the server is asked for a sign of life; after three times as many it is lost.
    package var livenessInterval: Double
    package var algorithms = SSHAlgorithms()
    /// The hosts on the way, the nearest first. Each is logged in to by its own options; their own jumps are not used.
    package var jumps: [SSHOptions] = []
    /// Whether this is a host on the way to another, for messages.
    package var isJumpHost = false
    /// What ssh_config says besides and is not carried out, for those who check a connection.
    package var ignoredSettings: [IgnoredSetting] = []

    package init(
        host: String, port: Int = 22, user: String, keyFile: String? = nil, knownHostsFile: String,
        pinnedHostKey: String? = nil, timeout: Double = 30, agentSocket: String? = nil, livenessInterval: Double = 3,
        ask: SSHAsk? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.keyFile = keyFile
        self.knownHostsFile = knownHostsFile
        self.pinnedHostKey = pinnedHostKey
        self.timeout = timeout
        self.agentSocket = agentSocket
        self.livenessInterval = livenessInterval
        self.ask = ask
        reference = "\(user)@\(SSHOptions.join(host, port))"
    }

    /// Origin: sshd(8), the defaults of GlobalKnownHostsFile.
    package static let globalKnownHostsFiles = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]

    /// The keys that are offered where none is named, whether they exist or not.
    package static var usualKeyFiles: [String] { FileKey.usualFiles }

    /// The address as people write it: `host`, or `host:port` where the port is not 22.
    package var address: String { SSHOptions.join(host, port) }

    /// Who logs in where: the name under which a password is remembered.
    package var account: String { "\(user)@\(address)" }

    /// The server in messages.
    var place: String { isJumpHost ? "jump host \(address)" : address }

    /// The host's name as known_hosts writes it.
    var knownHostsName: String {
        if let hostKeyAlias { return hostKeyAlias.lowercased() }
        return port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    private static func join(_ host: String, _ port: Int) -> String {
        port == 22 ? host : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
