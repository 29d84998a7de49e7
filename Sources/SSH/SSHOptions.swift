/// How to reach a server, how to know it, and how to log in.
package struct SSHOptions: Sendable {
    /// A host name or a numeric address; also the name that is looked up in known_hosts.
    package var host: String
    package var port: Int
    package var user: String
    /// The only private key to offer; nil for the agent's keys and then the usual files in `~/.ssh`.
    package var keyFile: String?
    /// An absolute path in OpenSSH's format; the file need not exist.
    package var knownHostsFile: String
    /// `SHA256:…` as ssh-keygen prints it; then no known_hosts file is consulted.
    package var pinnedHostKey: String?
    /// Seconds for everything until the session is authenticated.
    package var timeout: Double
    /// The agent's socket; nil for `$SSH_AUTH_SOCK`.
    package var agentSocket: String?
    /// After so many seconds of silence the server is asked for a sign of life; after three times as many it is lost.
    package var livenessInterval: Double
    /// Asks a person; nil refuses whatever would need one.
    package var ask: SSHAsk?

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
    }

    /// The address as people write it: `host`, or `host:port` where the port is not 22.
    var place: String { port == 22 ? host : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
