import Glibc
import LinuxSystem
import Synchronization

/// A network of two hosts with one cable: a network namespace for the server and a veth pair (veth(4)).
///
/// Unlike with `FlakyLink`, the kernel's own TCP sees the faults: it resends, and after a cut the old connection can
/// recover. Needs root, ip(8), iptables(8) and tc(8): see `isAvailable`. It is taken down with its last reference.
package final class Cable: Sendable {
    /// The server's end.
    package let host: String
    private let namespace: String
    private let ours: String
    private let theirs = "eth0"

    private static let lastNumber = Mutex(0)

    package static func isAvailable() async -> Bool {
        guard getuid() == 0 else { return false }
        do {
            let cable = try await Cable()
            try await cable.cut()
            try await cable.throttle("1mbit")
            return true
        } catch { return false }
    }

    package init() async throws {
        let number = Cable.lastNumber.withLock { number in
            number += 1
            return number
        }
        // Names of interfaces have 15 characters at most; the subnet is one of 2^14 of 198.18.0.0/15 (RFC 2544).
        let id = "ecr\(getpid() % 100_000)-\(number)"
        let block = (Int(getpid()) * 64 + number) % 16_384
        let base = "198.\(18 + block / 8192).\(block % 8192 / 32)"
        let first = block % 32 * 8
        namespace = id
        ours = id
        host = "\(base).\(first + 2)"
        try await Cable.ip("netns", "add", namespace)
        try await Cable.ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", namespace)
        try await Cable.ip("addr", "add", "\(base).\(first + 1)/29", "dev", ours)
        try await Cable.ip("link", "set", ours, "up")
        try await Cable.ip("-n", namespace, "addr", "add", "\(host)/29", "dev", theirs)
        try await Cable.ip("-n", namespace, "link", "set", theirs, "up")
        try await Cable.ip("-n", namespace, "link", "set", "lo", "up")
    }

    deinit {
        // A namespace that is in use stays until its last process ends; its name and the cable go at once.
        let (namespace, ours) = (namespace, ours)
        Task.detached {
            _ = try? await Cable.ip("link", "del", ours)
            _ = try? await Cable.ip("netns", "del", namespace)
        }
    }

    /// What starts the server at the far end.
    var wrapper: [String] { [Command.find("ip") ?? "ip", "netns", "exec", namespace] }

    /// Drops every packet, both ways.
    package func cut() async throws {
        for chain in ["INPUT", "OUTPUT"] { try await iptables("-I", chain, "-j", "DROP") }
    }

    /// Answers every packet of a connection with a RST, as a router does that has lost its state.
    package func reject() async throws {
        try await iptables("-I", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
    }

    /// Limits both ways to a rate in the words of tc(8), such as `64kbit`.
    package func throttle(_ rate: String) async throws {
        let shape = ["root", "tbf", "rate", rate, "burst", "4kb", "latency", "100ms"]
        try await Cable.run("tc", ["qdisc", "replace", "dev", ours] + shape)
        try await Cable.run("ip", ["netns", "exec", namespace, "tc", "qdisc", "replace", "dev", theirs] + shape)
    }

    /// Ends every fault.
    package func restore() async throws {
        try await iptables("-F")
        _ = try? await Cable.run("tc", ["qdisc", "del", "dev", ours, "root"])
        _ = try? await Cable.run("ip", ["netns", "exec", namespace, "tc", "qdisc", "del", "dev", theirs, "root"])
    }

    private func iptables(_ arguments: String...) async throws {
        try await Cable.run("ip", ["netns", "exec", namespace, "iptables", "-w"] + arguments)
    }

    private static func ip(_ arguments: String...) async throws { try await run("ip", arguments) }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        guard let path = Command.find(program) else { throw SystemError("find", path: program, code: ENOENT) }
        try await Command.runSuccessfully(path, arguments)
    }
}
