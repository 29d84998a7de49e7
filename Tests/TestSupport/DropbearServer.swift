import Glibc
import LinuxSystem

/// A private dropbear server on a loopback port, the SSH server of many small devices.
///
/// dropbear reads `~/.ssh/authorized_keys` of the home in passwd(5) and has no option for another file. So it runs in
/// a mount namespace in which a scratch directory lies over that home; that needs root: see `isAvailable`.
package final class DropbearServer: SSHTestServer {
    package let scratch: ScratchDirectory
    package let clientKey: String
    package let knownHosts: String
    package let process: LoopbackServer

    /// Whether this machine can run it: root, with dropbear, dropbearkey and unshare(1).
    package static let isAvailable: Bool =
        getuid() == 0 && ["dropbear", "dropbearkey", "unshare"].allSatisfy { Command.find($0) != nil }

    /// Lays the scratch home over the real one, then becomes the server.
    private static let script = """
        home=$1 real=$2 && shift 2 && mount --bind "$home" "$real" && exec "$@"
        """

    /// Makes the keys, starts the server and waits until it accepts connections.
    package static func start() async throws -> DropbearServer {
        let server = try await DropbearServer(ScratchDirectory(), port: LoopbackServer.freePort())
        try await server.process.start()
        return server
    }

    private init(_ scratch: ScratchDirectory, port: Int) async throws {
        self.scratch = scratch
        let client = try await KeyPair.generate(at: scratch.path("client_key"))
        clientKey = client.path
        try scratch.write("home/.ssh/authorized_keys", client.publicLine)
        let made = try await Command.runSuccessfully(
            Command.find("dropbearkey") ?? "", ["-t", "ed25519", "-f", scratch.path("host_key")])
        let publicLine = made.outputText.split(separator: "\n").first { $0.hasPrefix("ssh-ed25519 ") } ?? ""
        knownHosts = try scratch.write("known_hosts", "[127.0.0.1]:\(port) \(publicLine)\n")
        process = LoopbackServer(
            [
                Command.find("dropbear") ?? "", "-F", "-E", "-m", "-s", "-r", scratch.path("host_key"),
                "-p", "127.0.0.1:\(port)", "-P", scratch.path("dropbear.pid"),
            ], wrapper: DropbearServer.wrapper(scratch), port: port)
    }

    private static func wrapper(_ scratch: ScratchDirectory) -> [String] {
        let home = getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "/root"
        return [
            Command.find("unshare") ?? "", "-m", "/bin/sh", "-c", script, "sh", scratch.path("home"), home,
        ]
    }
}
