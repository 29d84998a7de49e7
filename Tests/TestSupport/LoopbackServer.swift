import Glibc
import LinuxSystem
import Synchronization

/// A server program on a loopback port that lives no longer than this object, nor than the test process.
///
/// A shell stands between: it prints the server's pid, and kills the server when its own stdin ends, which happens even
/// when the test process crashes.
package final class LoopbackServer: Sendable {
    package let port: Int
    private let commandLine: [String]
    private let running = Mutex<(shell: RunningCommand, pid: pid_t)?>(nil)

    private static let script = """
        "$@" </dev/null & server=$!
        echo "pid $server."
        read -r _
        kill "$server"
        wait "$server"
        """

    init(_ commandLine: [String], port: Int) {
        self.commandLine = commandLine
        self.port = port
    }

    /// Starts the server and waits until it accepts connections on 127.0.0.1.
    /// - Throws: `CommandFailure` with the server's log when it ends instead, or takes more than ten seconds.
    func start() async throws {
        let shell = try RunningCommand(
            "/bin/sh", ["-c", LoopbackServer.script, "sh"] + commandLine, hasInput: true, timeout: nil)
        try await shell.waitForOutput(".")
        let pid = pid_t(shell.outputText.filter(\.isNumber)) ?? 0
        running.withLock { $0 = (shell, pid) }
        for _ in 0..<500 where kill(pid, 0) == 0 {
            if LoopbackServer.accepts(port) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        let said = CommandResult(status: -1, output: [], error: Array(log.utf8))
        throw CommandFailure(message: "the server does not accept connections", commandLine: commandLine, result: said)
    }

    /// What the server wrote to stderr since its last start.
    package var log: String { running.withLock { $0?.shell.errorText } ?? "" }

    /// Ends the server and every connection, and waits until its port is free.
    package func stop() async throws {
        // A listener that still accepts would give a client that tries again at once a connection that outlives it.
        if let pid = running.withLock({ $0?.pid }) {
            kill(pid, SIGSTOP)
            for _ in 0..<500 where ProcessTable.state(of: pid) != "T" && kill(pid, 0) == 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
            signalConnections(SIGKILL)
            kill(pid, SIGKILL)
        }
        let shell = running.withLock { running in
            defer { running = nil }
            return running?.shell
        }
        shell?.closeInput()
        _ = try await shell?.wait()
    }

    /// Stops the server where it runs and starts it on the same port.
    package func restart() async throws {
        try await stop()
        try await start()
    }

    /// Cuts every connection; the server goes on to accept new ones, and the jobs of the old ones go on.
    package func killConnections() { signalConnections(SIGKILL) }

    /// Signals the processes of the server's own program that serve connections: SIGSTOP makes every link hang without
    /// an end, SIGCONT lets it go on. What they started is left alone, as it would be by a cut cable.
    package func signalConnections(_ number: Int32) {
        guard let pid = running.withLock({ $0?.pid }) else { return }
        let name = ProcessTable.name(of: pid)
        for child in ProcessTable.descendants(of: pid) where ProcessTable.name(of: child) == name {
            kill(child, number)
        }
    }

    private static let givenPorts = Mutex<Set<Int>>([])

    /// A port on which nothing listens at this moment; no two callers in this process get the same one.
    static func freePort() throws -> Int {
        while true {
            let port = try unusedPort()
            if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
        }
    }

    private static func unusedPort() throws -> Int {
        let listener = try socket()
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = try check("bind a port") { bind(listener.descriptor, generic, length) }
                _ = try check("read the port") { getsockname(listener.descriptor, generic, &length) }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func accepts(_ port: Int) -> Bool {
        guard let client = try? socket() else { return false }
        return withUnsafePointer(to: loopback(port: port)) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(client.descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func socket() throws -> File {
        let descriptor = try check("create a socket") {
            Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        return File(adopting: descriptor, path: "socket")
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// The running processes as `/proc/<pid>/stat` shows them (proc_pid_stat(5)).
enum ProcessTable {
    /// The program's name, at most 15 characters; nil for a process that is gone.
    static func name(of pid: pid_t) -> String? { stat(pid)?.name }

    /// The letter of its state: `T` is stopped.
    static func state(of pid: pid_t) -> String? { stat(pid)?.state }

    static func descendants(of ancestor: pid_t) -> [pid_t] {
        let all = ((try? FileSystem.list("/proc")) ?? []).compactMap { pid_t($0) }
        let parents = Dictionary(uniqueKeysWithValues: all.compactMap { pid in stat(pid).map { (pid, $0.parent) } })
        return all.filter { pid in
            var current = pid
            while let parent = parents[current] {
                if parent == ancestor { return true }
                current = parent
            }
            return false
        }
    }

    private static func stat(_ pid: pid_t) -> (name: String, state: String, parent: pid_t)? {
        guard let bytes = try? FileSystem.read("/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return nil }
        // Behind the name: the state, then the parent.
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 1, let parent = pid_t(fields[1]) else { return nil }
        return (String(text[text.index(after: open)..<close]), String(fields[0]), parent)
    }
}
