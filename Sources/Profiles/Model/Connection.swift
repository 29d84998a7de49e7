/// How the target is reached. What is nil is left to `~/.ssh/config` and to SSH's defaults.
package struct Connection: Sendable {
    /// The methods that SSH may use, by SSH's names, as ssh_config(5) writes them: with `+`, `-` or `^` before a name
    /// the defaults are changed, else replaced. nil leaves the choice to ssh_config and libssh.
    package struct Algorithms: Sendable {
        package var kex: [String]?
        package var ciphers: [String]?
        package var hostkeys: [String]?
        package var macs: [String]?
        /// With which the user's own keys sign.
        package var pubkeys: [String]?
    }

    /// A name, an address, or a `Host` alias of `~/.ssh/config`.
    package var host: String
    package var port: Int?
    package var user: String?
    /// The only key to offer; as written, `~` included.
    package var keyFile: String?
    /// Seconds that a connection may take to be made.
    package var timeout: Double?
    /// As written, `~` included.
    package var knownHosts: String?
    /// `SHA256:` and 43 characters of base64: the one key that the host may show.
    package var hostKey: String?
    /// The ssh_config file to read instead of the user's and the system's, as written; `none` for no file.
    package var sshConfig: String?
    /// The hosts on the way, the nearest first, each as `user@host:port`; empty for none at all.
    package var jump: [String]?
    package var algorithms: Algorithms?
    /// Seconds between two signs of life.
    package var keepalive: Double?
    /// Seconds between two comparisons of the target's clock with the controller's.
    package var clockInterval = Connection.defaultClockInterval
    /// The absolute directory on the target that holds the spools.
    package var spoolDir: String?
    /// Environment of every command on the target.
    package var env: [EnvironmentEntry] = []
    /// Used before anybody is asked.
    package var password: Secret?
    package var sudoPassword: Secret?
    /// Seconds without a connection after which a run gives up; nil means never.
    package var giveUpAfter: Double?

    package init(host: String) { self.host = host }

    /// Origin: two crystals that differ by 50 ppm come apart by 3 ms in a minute, less than /proc/uptime can tell.
    package static let defaultClockInterval = 60.0
}

extension Connection {
    /// A target that is named by its address alone.
    package static func plain(host: String, port: Int?, user: String?) -> Connection {
        var connection = Connection(host: host)
        connection.port = port
        connection.user = user
        return connection
    }
}
