/// What ssh_config files say about one host. What is nil or empty is left to the defaults.
package struct HostSettings: Sendable, Equatable {
    /// The name or address to connect to, lower case; the host as it was named where no HostName is set.
    package internal(set) var hostName = ""
    package internal(set) var port: Int?
    package internal(set) var user: String?
    /// Absolute paths; nil where none is named, empty for `none`.
    package internal(set) var identityFiles: [String]?
    package internal(set) var certificateFiles: [String] = []
    package internal(set) var identitiesOnly: Bool?
    /// A socket's path; "" for `none`.
    package internal(set) var identityAgent: String?
    /// The hosts on the way, the nearest first; empty for `none`.
    package internal(set) var jumps: [JumpHop]?
    package internal(set) var userKnownHostsFiles: [String]?
    package internal(set) var globalKnownHostsFiles: [String]?
    package internal(set) var hostKeyAlias: String?
    /// Seconds.
    package internal(set) var serverAliveInterval: Double?
    package internal(set) var connectTimeout: Double?
    package internal(set) var algorithms = SSHAlgorithms()
    /// A program that would have to make the connection: ecr runs none.
    package internal(set) var proxyCommand: IgnoredSetting?
    /// What else applies to the host and is not carried out, in the order of the files.
    package internal(set) var ignored: [IgnoredSetting] = []
}

/// A line of an ssh_config file that applies and that ecr does not carry out.
package struct IgnoredSetting: Sendable, Equatable, CustomStringConvertible {
    /// As written.
    package let text: String
    package let file: String
    package let line: Int
    /// Whether a connection could come out differently without it. The others are about terminals, forwarding and
    /// the like.
    package let matters: Bool

    package var description: String { "\(file):\(line): \(text)" }
}
