import Glibc
import LinuxSystem

/// Looks at this machine's processes, which are the target's where the target is a server on loopback.
package enum Processes {
    /// The processes that have an argument; tests use arguments that nobody else has.
    package static func ids(withArgument argument: String) -> [Int32] {
        let wanted = Array(argument.utf8)
        return ((try? FileSystem.list("/proc")) ?? []).compactMap { name in
            guard let id = Int32(name), let line = try? FileSystem.read("/proc/\(name)/cmdline") else { return nil }
            return line.split(separator: 0).contains { $0.elementsEqual(wanted) } ? id : nil
        }
    }

    package static func exist(withArgument argument: String) -> Bool { !ids(withArgument: argument).isEmpty }

    /// Whether a signal holds it.
    package static func isStopped(_ id: Int32) -> Bool { ProcessTable.state(of: id) == "T" }

    /// Ends a process that a test has started.
    package static func kill(_ id: Int32) { signal(id, SIGKILL) }

    /// Ends processes, and returns once they are gone with all that they held: files, locks, sockets.
    package static func end(_ ids: [Int32]) async throws {
        for id in ids { kill(id) }
        for id in ids {
            while ProcessTable.isAlive(id) { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    /// Ends what the sessions of a server have left running: jobs, and programs that hang in a read. Their environment names
    /// where they came in (sshd(8)); that of other users' processes is not ours to read.
    static func endSessions(ofServerAt host: String, _ port: Int) {
        for name in (try? FileSystem.list("/proc")) ?? [] {
            guard let id = Int32(name), let environment = try? FileSystem.read("/proc/\(name)/environ") else {
                continue
            }
            if connection(in: environment)?.hasSuffix(" \(host) \(port)") == true { kill(id) }
        }
    }

    /// The two addresses and ports of the connection that a process belongs to; nil for none.
    private static func connection(in environment: [UInt8]) -> String? {
        let variable = "SSH_CONNECTION="
        return (environment + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters -> String? in
                guard var line = characters.baseAddress else { return nil }
                let end = line + characters.count
                while line < end {
                    if strncmp(line, variable, variable.utf8.count) == 0 { return String(cString: line) }
                    line += strlen(line) + 1
                }
                return nil
            }
        }
    }

    package static func signal(_ id: Int32, _ number: Int32) { _ = Glibc.kill(id, number) }

    /// An argument for sleep(1) of far more than any test's time, and of digits that no other test has.
    package static func uniqueSleep() -> String { "4" + Host.randomBytes(6).map { String($0 % 10) }.joined() }
}
