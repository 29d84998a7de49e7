import Glibc
import LinuxSystem
import Synchronization

/// A server program on a loopback port that lives no longer than this object, nor than the test process.
///
/// A shell stands between: it prints the server's pid, and kills the server when its own stdin ends, which happens even
/// when the test process crashes.
package final class LoopbackServer: Sendable {
    package let host: String
    package let port: Int
    private let commandLine: [String]
    /// The file name of the server's own program, which may be started by others: `unshare … sshd`.
    private let program: String
    private let running = Mutex<(shell: RunningCommand, pid: pid_t)?>(nil)

    private static let script = """
        "$@" </dev/null & server=$!
        echo "pid $server."
        read -r _
        kill "$server"
        wait "$server"
        """

    /// - Parameters:
    ///   - wrapper: what is put before the command line, and becomes the server or starts it.
    ///   - host: one of this machine's own addresses.
    init(_ commandLine: [String], wrapper: [String] = [], host: String = LoopbackSocket.host, port: Int) {
        self.commandLine = wrapper + commandLine
        program = FileSystem.name(of: commandLine[0])
        self.host = host
        self.port = port
    }

    /// Starts the server and waits until it accepts connections.
    /// - Throws: `CommandFailure` with the server's log when it ends instead, or takes more than ten seconds.
    func start() async throws {
        let shell = try RunningCommand(
            "/bin/sh", ["-c", LoopbackServer.script, "sh"] + commandLine, hasInput: true, timeout: nil)
        try await shell.waitForOutput(".")
        let pid = pid_t(shell.outputText.filter(\.isNumber)) ?? 0
        running.withLock { $0 = (shell, pid) }
        for _ in 0..<500 where kill(pid, 0) == 0 {
            if accepts { return }
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
        if let pid = running.withLock({ $0?.pid }), let listener {
            kill(listener, SIGSTOP)
            for _ in 0..<500 where ProcessTable.state(of: listener) != "T" && kill(listener, 0) == 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
            signalConnections(SIGKILL)
            kill(listener, SIGKILL)
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
        guard let listener else { return }
        for child in ProcessTable.descendants(of: listener) where ProcessTable.name(of: child) == program {
            kill(child, number)
        }
    }

    /// The process that accepts connections.
    private var listener: pid_t? {
        guard let pid = running.withLock({ $0?.pid }) else { return nil }
        if ProcessTable.name(of: pid) == program { return pid }
        return ProcessTable.descendants(of: pid).first { ProcessTable.name(of: $0) == program }
    }

    private static let givenPorts = Mutex<Set<Int>>([])

    /// A port on which nothing listens at this moment; no two callers in this process get the same one.
    static func freePort() throws -> Int {
        while true {
            let port = try LoopbackSocket.port(of: LoopbackSocket.listen(port: 0))
            if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
        }
    }

    private var accepts: Bool { (try? LoopbackSocket.connect(host, port: port)) != nil }
}

/// The running processes as `/proc/<pid>/stat` shows them (proc_pid_stat(5)).
enum ProcessTable {
    /// The program's name, at most 15 characters; nil for a process that is gone.
    static func name(of pid: pid_t) -> String? { stat(pid)?.name }

    /// The letter of its state: `T` is stopped.
    static func state(of pid: pid_t) -> String? { stat(pid)?.state }

    /// Whether any of its threads may still have its files open. What nobody has waited for yet is a zombie of one thread.
    static func isAlive(_ pid: pid_t) -> Bool {
        guard let state = state(of: pid) else { return false }
        return state != "Z" || ((try? FileSystem.list("/proc/\(pid)/task")) ?? []).count > 1
    }

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
