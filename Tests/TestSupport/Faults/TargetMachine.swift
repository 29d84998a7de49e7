import Glibc
import LinuxSystem

/// A target that can be rebooted: a PID namespace whose first process is the SSH server, with a boot id and an uptime of
/// its own (pid_namespaces(7), time_namespaces(7)).
///
/// The end of the server ends every process in it, as a reboot does; the next start has another boot id, and its uptime
/// begins anew, so that pids and start times come again. Needs root: see `isAvailable`.
package struct TargetMachine: Sendable {
    private let scratch: ScratchDirectory

    init(_ scratch: ScratchDirectory) throws {
        self.scratch = scratch
        try renewBootID()
    }

    private var bootIDFile: String { scratch.path("boot_id") }

    /// Whether this machine lets us make such namespaces.
    package static func isAvailable() async -> Bool {
        guard getuid() == 0, let scratch = try? ScratchDirectory(), let machine = try? TargetMachine(scratch) else {
            return false
        }
        let wrapped = machine.wrapper + ["/bin/true"]
        return (try? await Command.run(wrapped[0], Array(wrapped.dropFirst())).status) == 0
    }

    /// Origin of 60: some seconds of uptime, as a board has when sshd is up; fewer where this machine has not more.
    private static let outer = """
        up=$(cut -d. -f1 /proc/uptime); back=0; [ "$up" -le 60 ] || back=$((up - 60))
        exec unshare --pid --mount --time --boottime "-$back" --fork --kill-child /bin/sh -c "$@"
        """
    private static let inner = """
        mount -t proc proc /proc && mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"
        """

    /// What starts the server in the machine.
    var wrapper: [String] { ["/bin/sh", "-c", Self.outer, "sh", Self.inner, bootIDFile] }

    func renewBootID() throws {
        let digits = Array(Host.randomBytes(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        // Written in place: the bind mount of a machine that runs shows this very file.
        try scratch.write("boot_id", groups.joined(separator: "-") + "\n", mode: 0o644)
    }
}
