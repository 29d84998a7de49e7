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

    /// Whether this machine can run it: root, with dropbear, dropbearkey, BusyBox and unshare(1).
    package static let isAvailable: Bool =
        getuid() == 0 && ["dropbear", "dropbearkey", "unshare", "busybox"].allSatisfy { Command.find($0) != nil }

    /// What its users find there.
    package enum System: Sendable {
        /// This machine.
        case whole
        /// A small device: BusyBox's programs alone, no bash, no SFTP server.
        case busyBox
    }

    /// Lays the scratch home over the real one, and a folder of programs over the system's, then becomes the server.
    private static let script = """
        home=$1 real=$2 bin=$3 && shift 3 && mount --bind "$home" "$real" || exit
        if [ -n "$bin" ]; then
            sftp=/usr/lib/openssh/sftp-server
            if [ -e "$sftp" ]; then mount --bind /dev/null "$sftp" || exit; fi
            mount --bind "$bin" /usr/sbin && mount --bind "$bin" /usr/bin || exit
        fi
        exec "$@"
        """

    /// Makes the keys, starts the server and waits until it accepts connections.
    package static func start(_ system: System = .whole) async throws -> DropbearServer {
        let server = try await DropbearServer(ScratchDirectory(), port: LoopbackServer.freePort(), system)
        try await server.process.start()
        return server
    }

    private init(_ scratch: ScratchDirectory, port: Int, _ system: System) async throws {
        self.scratch = scratch
        let client = try await KeyPair.generate(at: scratch.path("client_key"))
        clientKey = client.path
        try scratch.write("home/.ssh/authorized_keys", client.publicLine)
        let made = try await Command.runSuccessfully(
            Command.find("dropbearkey") ?? "", ["-t", "ed25519", "-f", scratch.path("host_key")])
        let publicLine = made.outputText.split(separator: "\n").first { $0.hasPrefix("ssh-ed25519 ") } ?? ""
        knownHosts = try scratch.write("known_hosts", "[127.0.0.1]:\(port) \(publicLine)\n")
        if system == .busyBox { try await DropbearServer.makePrograms(in: scratch) }
        process = LoopbackServer(DropbearServer.commandLine(scratch, port, system), port: port)
    }

    /// A folder with BusyBox under all its names, dropbear, and what stands in for the shell of passwd(5).
    private static func makePrograms(in scratch: ScratchDirectory) async throws {
        let bin = scratch.path("bin")
        try FileSystem.makeDirectories(bin)
        for name in ["busybox", "dropbear"] {
            try await Command.runSuccessfully("/bin/cp", [Command.find(name) ?? name, "\(bin)/\(name)"])
        }
        try await Command.runSuccessfully("\(bin)/busybox", ["--install", "-s", bin])
        try scratch.write("bin/bash", "#!/bin/sh\nexec /bin/sh \"$@\"\n", mode: 0o755)
    }

    private static func commandLine(_ scratch: ScratchDirectory, _ port: Int, _ system: System) -> [String] {
        let home = getpwuid(getuid()).map { String(cString: $0.pointee.pw_dir) } ?? "/root"
        let isWhole = system == .whole
        return [
            Command.find("unshare") ?? "", "-m", "/bin/sh", "-c", script, "sh", scratch.path("home"), home,
            isWhole ? "" : scratch.path("bin"), isWhole ? Command.find("dropbear") ?? "" : scratch.path("bin/dropbear"),
            "-F", "-E", "-m", "-s", "-r", scratch.path("host_key"),
            "-p", "127.0.0.1:\(port)", "-P", scratch.path("dropbear.pid"),
        ]
    }
}
