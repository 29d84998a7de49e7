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

    /// As a small device has it: BusyBox is every program, /var/tmp is in RAM, no SFTP server is there.
    ///
    /// The whole of /etc is covered, not its passwd alone: the kernel takes a cover off a file that is replaced, and each
    /// user that is made on this machine replaces that one. The login shell would then be one that is not there.
    private static let smallScript = """
        small=$1 && shift && mount --bind "$small/etc" /etc && mount -t tmpfs none /var/tmp || exit
        for server in /usr/lib/openssh/sftp-server /usr/lib/sftp-server /usr/libexec/sftp-server; do
        [ ! -f "$server" ] || mount --bind "$small/nothing" "$server" || exit; done
        exec /usr/bin/busybox sh -c 'mount --bind "$1/bin" /usr/bin && shift && exec "$@"' sh "$small" "$@"
        """

    /// Makes the keys, starts the server and waits until it accepts connections.
    package static func start(takesPasswords: Bool = false) async throws -> DropbearServer {
        let port = try LoopbackServer.freePort()
        let server = try await DropbearServer(
            ScratchDirectory(), port: port, isSmall: false, takesPasswords: takesPasswords)
        try await server.process.start()
        return server
    }

    /// Starts it with nothing but BusyBox's applets on PATH.
    /// - Parameters:
    ///   - missing: applets that are not there either.
    ///   - programs: of this machine's that are there, too.
    package static func startSmall(
        without missing: Set<String>, with programs: [String] = []
    ) async throws -> DropbearServer {
        let scratch = try ScratchDirectory()
        try await makeSmallSystem(in: scratch, without: missing)
        for program in programs {
            let bytes = try FileSystem.read(Command.find(program) ?? program)
            try scratch.write("small/bin/\(program)", bytes: bytes, mode: 0o755)
        }
        let server = try await DropbearServer(scratch, port: LoopbackServer.freePort(), isSmall: true)
        try await server.process.start()
        return server
    }

    /// Whether this machine can run the small one.
    package static let isSmallAvailable: Bool = isAvailable && FileSystem.exists("/usr/bin/busybox")

    private static func makeSmallSystem(in scratch: ScratchDirectory, without missing: Set<String>) async throws {
        try FileSystem.makeDirectories(scratch.path("small/bin"), mode: 0o755)
        try scratch.write("small/nothing", "")
        let home = getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "/root"
        try FileSystem.makeDirectories(scratch.path("small/etc"), mode: 0o755)
        try scratch.write("small/etc/passwd", "root:x:0:0:root:\(home):/bin/sh\n", mode: 0o644)
        try scratch.write("small/etc/group", "root:x:0:\n", mode: 0o644)
        for name in ["os-release", "shells", "nsswitch.conf"] where FileSystem.exists("/etc/\(name)") {
            try scratch.write("small/etc/\(name)", bytes: try FileSystem.read("/etc/\(name)"), mode: 0o644)
        }
        try scratch.write("small/bin/busybox", bytes: try FileSystem.read("/usr/bin/busybox"), mode: 0o755)
        let applets = try await Command.runSuccessfully("/usr/bin/busybox", ["--list"]).outputText
        for applet in applets.split(separator: "\n").map(String.init) where !missing.contains(applet) {
            symlink("busybox", scratch.path("small/bin/\(applet)"))
        }
    }

    private init(
        _ scratch: ScratchDirectory, port: Int, isSmall: Bool, takesPasswords: Bool = false
    ) async throws {
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
                Command.find("dropbear") ?? "", "-F", "-E", "-m", "-r", scratch.path("host_key"),
                "-p", "127.0.0.1:\(port)", "-P", scratch.path("dropbear.pid"),
            ] + (takesPasswords ? [] : ["-s"]), wrapper: DropbearServer.wrapper(scratch, isSmall: isSmall), port: port)
    }

    private static func wrapper(_ scratch: ScratchDirectory, isSmall: Bool) -> [String] {
        let home = getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "/root"
        let small = isSmall ? ["/bin/sh", "-c", smallScript, "sh", scratch.path("small")] : []
        return [
            Command.find("unshare") ?? "", "-m", "/bin/sh", "-c", script, "sh", scratch.path("home"), home,
        ] + small
    }
}
