import LinuxSystem
package import Profiles
package import SSH

extension SSHOptions {
    /// A profile's connection. What it leaves open is taken from ssh_config, then from SSH's defaults; paths in it are
    /// relative to the profile's own folder.
    /// - Throws: `configuration` for an ssh_config that cannot be read or asks for what ecr does not do.
    package init(_ connection: Connection, profileFile: String) throws(SSHError) {
        self = try ConnectionPlan(connection, folder: FileSystem.parent(of: profileFile)).target()
        reference = profileFile
    }

    /// A target without a profile.
    /// - Parameter target: `host`, `user@host` or `user@host:port`; the host may be an alias of ssh_config.
    /// - Throws: `configuration`, also for a text that names no host.
    package init(target: String) throws(SSHError) {
        guard let hop = JumpHop(target) else {
            throw SSHError(.configuration, "'\(target)' names no target; write user@host or user@host:port")
        }
        var connection = Connection(host: hop.host)
        connection.user = hop.user
        connection.port = hop.port
        self = try ConnectionPlan(connection, folder: "").target()
        reference = target
    }
}

/// Puts a connection together: the profile first, then ssh_config, then the defaults; and the same for each jump host.
private struct ConnectionPlan {
    private let connection: Connection
    private let folder: String
    private let config: SSHConfig
    /// What need not be asked twice, for all hosts of the way.
    private let keyRing = KeyRing()

    init(_ connection: Connection, folder: String) {
        self.connection = connection
        self.folder = folder
        let named = connection.sshConfig ?? Host.environment("ECR_SSH_CONFIG")
        let files: SSHConfig.Files =
            switch named {
            case nil: .standard
            case "none"?: .none
            case let path?: .only(Connection.path(path, in: folder))
            }
        config = SSHConfig(files)
    }

    private func path(_ text: String) -> String { Connection.path(text, in: folder) }

    // MARK: The target

    func target() throws(SSHError) -> SSHOptions {
        let settings = try config.settings(for: connection.host, user: connection.user, port: connection.port)
        var options = base(settings, user: connection.user, port: connection.port)
        if let keyFile = connection.keyFile {
            // The profile's key alone: nothing of what ssh_config names for this host.
            options.keyFile = path(keyFile)
            options.identityFiles = nil
            options.certificateFiles = []
        }
        if let file = connection.knownHosts {
            options.knownHostsFile = path(file)
            options.otherKnownHostsFiles = settings.globalKnownHostsFiles ?? SSHOptions.globalKnownHostsFiles
        }
        options.pinnedHostKey = connection.hostKey
        for kind in AlgorithmKind.allCases {
            if let names = connection.algorithms?[kind] { options.algorithms[kind] = names.joined(separator: ",") }
        }
        options.timeout = connection.timeout ?? positive(settings.connectTimeout) ?? Self.timeout
        options.livenessInterval =
            connection.keepalive ?? positive(settings.serverAliveInterval).map { min($0, Self.longestServerAlive) }
            ?? Self.keepalive
        if let secret = connection.password, let password = Host.environment(secret.variable) {
            options.keyRing.keep(password: password, of: options.account)
        }
        options.jumps = try jumps(settings, of: options)
        options.ignoredSettings += options.jumps.flatMap(\.ignoredSettings)
        return options
    }

    /// Seconds. Origin: DESIGN's defaults; ssh(1) would wait as long as TCP does, two minutes and more.
    private static let timeout = 30.0
    /// Seconds. Origin: three of them find every kind of cut link within ten.
    private static let keepalive = 3.0
    /// Seconds: the most that `ServerAliveInterval` counts for. It is often 60, to keep routers from forgetting idle
    /// connections; taken as it is, a cut would stay unnoticed for minutes. Origin: the interval in which the last byte
    /// came and three silent ones make 14 s, and a loss is to be on record within 15. Who wants fewer signs of life says
    /// so in the profile, with `keepalive:`.
    private static let longestServerAlive = 3.5

    private func positive(_ seconds: Double?) -> Double? { seconds.flatMap { $0 > 0 ? $0 : nil } }

    /// What ssh_config and the defaults say about any host, the target or one on the way.
    private func base(_ settings: HostSettings, user: String?, port: Int?) -> SSHOptions {
        let home = FileSystem.homeDirectory
        let files = settings.userKnownHostsFiles ?? ["\(home)/.ssh/known_hosts", "\(home)/.ssh/known_hosts2"]
        let global = settings.globalKnownHostsFiles ?? SSHOptions.globalKnownHostsFiles
        var options = SSHOptions(
            host: settings.hostName, port: port ?? settings.port ?? 22,
            user: user ?? settings.user ?? Host.userName, knownHostsFile: files.first ?? "/dev/null",
            agentSocket: settings.identityAgent ?? Host.environment("SSH_AUTH_SOCK"))
        options.otherKnownHostsFiles = files.dropFirst() + global
        options.hostKeyAlias = settings.hostKeyAlias
        options.identityFiles = settings.identityFiles
        options.certificateFiles = settings.certificateFiles
        options.usesIdentitiesOnly = settings.identitiesOnly ?? false
        options.algorithms = settings.algorithms
        options.ignoredSettings = settings.ignored
        options.keyRing = keyRing
        return options
    }

    // MARK: The way

    private func jumps(_ settings: HostSettings, of target: SSHOptions) throws(SSHError) -> [SSHOptions] {
        guard let given = connection.jump else {
            return try way(try hops(settings), to: target, seen: [target.account])
        }
        var hops: [JumpHop] = []
        for text in given {
            guard let hop = JumpHop(text) else { throw SSHError(.configuration, "'\(text)' names no jump host") }
            hops.append(hop)
        }
        return try way(hops, to: target, seen: [target.account])
    }

    /// The jump hosts that ssh_config names for a host. A program that makes the connection is not run: without it we
    /// would try to reach the host directly, which may be another one.
    private func hops(_ settings: HostSettings) throws(SSHError) -> [JumpHop] {
        if let command = settings.proxyCommand, command.matters {
            throw SSHError(
                .configuration, "\(command): ecr runs no ProxyCommand",
                hint: "write ProxyJump there, or jump: in the profile (jump: none for a direct connection)")
        }
        return settings.jumps ?? []
    }

    /// The options of each host of a list. As with `ssh -J`, only the first is reached by its own ProxyJump, the others
    /// through the one before.
    /// - Parameter seen: who is behind them already.
    private func way(
        _ hops: [JumpHop], to target: SSHOptions, seen: [String]
    ) throws(SSHError) -> [SSHOptions] {
        var (way, seen) = ([SSHOptions](), seen)
        for (index, hop) in hops.enumerated().reversed() {
            let settings = try config.settings(for: hop.host, user: hop.user, port: hop.port)
            var options = base(settings, user: hop.user, port: hop.port)
            guard !seen.contains(options.account) else {
                throw SSHError(
                    .configuration, "the jump hosts lead in a circle, back to \(options.account)",
                    hint: "in ssh_config, `ProxyJump none` in the jump host's own Host block, before the general one")
            }
            seen.append(options.account)
            options.isJumpHost = true
            options.reference = hop.text
            options.livenessInterval = target.livenessInterval
            if let file = connection.knownHosts {
                // New keys go where the profile says; those that ssh knows already count as well.
                options.otherKnownHostsFiles = [options.knownHostsFile] + options.otherKnownHostsFiles
                options.knownHostsFile = path(file)
            }
            if options.identityFiles == nil, let key = connection.keyFile {
                options.identityFiles = SSHOptions.usualKeyFiles + [path(key)]
            }
            way.insert(options, at: 0)
            if index == 0 { way = try self.way(try self.hops(settings), to: target, seen: seen) + way }
        }
        return way
    }
}

extension Connection {
    /// A file that a profile names.
    /// - Parameter folder: the profile's own.
    static func path(_ text: String, in folder: String) -> String {
        let expanded = FileSystem.expandingTilde(text)
        return expanded.hasPrefix("/") ? expanded : FileSystem.absolute("\(folder.isEmpty ? "." : folder)/\(expanded)")
    }
}

extension Connection.Algorithms {
    fileprivate subscript(kind: AlgorithmKind) -> [String]? {
        switch kind {
        case .kex: kex
        case .ciphers: ciphers
        case .hostKeys: hostkeys
        case .macs: macs
        case .publicKeys: pubkeys
        }
    }
}
