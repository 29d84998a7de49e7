/// How the target is reached. What is nil is left to `~/.ssh/config` and to SSH's defaults.
package struct Connection: Sendable {
    /// The methods that SSH may use, by SSH's names; nil leaves the choice to libssh.
    package struct Algorithms: Sendable {
        package var kex: [String]?
        package var ciphers: [String]?
        package var hostkeys: [String]?
        package var macs: [String]?
    }

    /// A name, an address, or a `Host` alias of `~/.ssh/config`.
    package var host: String
    package var port: Int?
    package var user: String?
    /// The only key to offer; as written, `~` included.
    package var keyFile: String?
    /// Seconds that a connection may take to be made.
    package var timeout = 30.0
    /// As written, `~` included.
    package var knownHosts: String?
    /// `SHA256:` and 43 characters of base64: the one key that the host may show.
    package var hostKey: String?
    package var jump: String?
    package var algorithms: Algorithms?
    /// Seconds between two signs of life.
    package var keepalive: Double?
    /// The absolute directory on the target that holds the spools.
    package var spoolDir: String?
    /// Environment of every command on the target.
    package var env: [(name: String, value: String)] = []
    /// Seconds without a connection after which a run gives up; nil means never.
    package var giveUpAfter: Double?
}

extension Connection {
    /// A target that is named by its address alone.
    package static func plain(host: String, port: Int?, user: String?) -> Connection {
        Connection(host: host, port: port, user: user)
    }
}
