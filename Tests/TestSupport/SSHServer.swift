import Glibc
import LinuxSystem

/// A private OpenSSH server on a loopback port, with keys of its own in a scratch directory.
///
/// It works for root and for an ordinary user, who can log in as themselves only. It dies with its last reference.
package final class SSHServer: SSHTestServer {
    package struct Options: Sendable {
        /// `Subsystem sftp internal-sftp`.
        package var servesSFTP: Bool
        /// The most channels a connection may have; nil for the server's default of 10.
        package var maxSessions: Int?
        /// Where the server runs.
        package var place: Place
        /// Further lines of sshd_config(5). Where a keyword comes twice, sshd takes the first: these stand first.
        package var extraLines: [String]

        package init(
            servesSFTP: Bool = true, maxSessions: Int? = nil, place: Place = .here, extraLines: [String] = []
        ) {
            self.servesSFTP = servesSFTP
            self.maxSessions = maxSessions
            self.place = place
            self.extraLines = extraLines
        }
    }

    package enum Place: Sendable {
        /// Among the processes of this machine.
        case here
        /// In a machine of its own, which can be rebooted.
        case machine
        /// At the far end of a cable.
        case behind(Cable)
    }

    package let scratch: ScratchDirectory
    package let clientKey: String
    package let knownHosts: String
    /// The host key's fingerprint as ssh-keygen prints it: `SHA256:…`.
    package let hostKeyFingerprint: String
    package let process: LoopbackServer
    private let machine: TargetMachine?

    /// Origin: Debian's openssh-server; sshd insists on an absolute path.
    private static let executable = "/usr/sbin/sshd"

    /// Makes the keys, starts the server and waits until it accepts connections.
    package static func start(_ options: Options = Options()) async throws -> SSHServer {
        // sshd refuses to start as root without its privilege separation directory.
        if getuid() == 0 { try FileSystem.makeDirectories("/run/sshd", mode: 0o755) }
        let server = try await SSHServer(ScratchDirectory(), port: LoopbackServer.freePort(), options)
        try await server.process.start()
        return server
    }

    private init(_ scratch: ScratchDirectory, port: Int, _ options: Options) async throws {
        self.scratch = scratch
        let hostKey = try await KeyPair.generate(at: scratch.path("host_key"))
        let client = try await KeyPair.generate(at: scratch.path("client_key"))
        clientKey = client.path
        hostKeyFingerprint = hostKey.fingerprint
        try scratch.write("authorized_keys", client.publicLine)
        var (host, wrapper) = (LoopbackSocket.host, [String]())
        switch options.place {
        case .here: machine = nil
        case .machine:
            let machine = try TargetMachine(scratch)
            (self.machine, wrapper) = (machine, machine.wrapper)
        case .behind(let cable): (machine, host, wrapper) = (nil, cable.host, cable.wrapper)
        }
        knownHosts = try scratch.write("known_hosts", "[\(host)]:\(port) \(hostKey.publicLine)")
        let configuration = try scratch.write("sshd_config", SSHServer.configuration(scratch, host, port, options))
        process = LoopbackServer(
            [SSHServer.executable, "-D", "-e", "-f", configuration], wrapper: wrapper, host: host, port: port)
    }

    /// Ends every process of the server's machine at once and starts it under another boot id, on the same port.
    /// - Parameter losing: folders that were in the machine's memory, such as its spool.
    package func reboot(losing folders: [String] = []) async throws {
        guard let machine else { preconditionFailure("only a server in a machine of its own can be rebooted") }
        try await process.stop()
        try machine.renewBootID()
        for folder in folders where FileSystem.exists(folder) { try FileSystem.removeTree(folder) }
        try await process.start()
    }

    private static func configuration(
        _ scratch: ScratchDirectory, _ host: String, _ port: Int, _ options: Options
    ) -> String {
        var lines = options.extraLines.filter { !$0.hasPrefix(setting) }
        lines += [
            setting + environment(options).joined(separator: " "),
            "Port \(port)",
            "ListenAddress \(host)",
            "HostKey \(scratch.path("host_key"))",
            "AuthorizedKeysFile \(scratch.path("authorized_keys"))",
            "PidFile \(scratch.path("sshd.pid"))",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "LogLevel VERBOSE",
        ]
        if options.servesSFTP { lines.append("Subsystem sftp internal-sftp") }
        if let limit = options.maxSessions { lines.append("MaxSessions \(limit)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let setting = "SetEnv "

    /// What every session finds in its environment; sshd takes one `SetEnv` alone.
    ///
    /// A bash that sshd starts reads ~/.bashrc before each command, unless it has another shell above it (SHLVL). What
    /// the person who runs the tests has there is no target's, and took 0.1 s of every command on one such machine.
    private static func environment(_ options: Options) -> [String] {
        ["SHLVL=1"] + options.extraLines.filter { $0.hasPrefix(setting) }.map { String($0.dropFirst(setting.count)) }
    }
}
