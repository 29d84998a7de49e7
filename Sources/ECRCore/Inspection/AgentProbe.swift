import Glibc
import JSON
import LinuxSystem

/// Asks the ssh-agent how many keys it holds (draft-miller-ssh-agent, sections 3.5 and 5.1).
enum AgentProbe {
    static func finding(socket path: String?) -> Finding {
        guard let path else {
            return Finding(
                "ssh-agent", .ok, "none (SSH_AUTH_SOCK is not set): keys are read from files", details: ["keys": .null])
        }
        do {
            let keys = try count(path)
            let hint = keys == 0 ? "ssh-add, if your keys have a passphrase" : nil
            return Finding(
                "ssh-agent", .ok, "\(keys) key\(keys == 1 ? "" : "s")", hint: hint, details: ["keys": JSON(keys)])
        } catch {
            return Finding(
                "ssh-agent", .warning, "SSH_AUTH_SOCK is set, but nobody answers: \(error)",
                hint: "eval \"$(ssh-agent)\" && ssh-add, or unset SSH_AUTH_SOCK", details: ["keys": .null])
        }
    }

    private struct Silence: Error, CustomStringConvertible {
        let description: String
    }

    /// Origin: an agent answers this from memory.
    private static let patience: Int32 = 2000

    private static func count(_ path: String) throws -> Int {
        let socket = try UnixSocket.connect(to: path)
        // SSH_AGENTC_REQUEST_IDENTITIES: a message of one byte. An agent that ends right now must not end us by SIGPIPE.
        let request: [UInt8] = [0, 0, 0, 1, 11]
        try check("ask", path: path) { send(socket.descriptor, request, request.count, Int32(MSG_NOSIGNAL)) }
        // Its answer, 12, and the number of keys stand before the keys.
        let answer = try read(9, from: socket)
        guard answer[4] == 12 else { throw Silence(description: "\(path) is no ssh-agent") }
        return answer[5...].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func read(_ count: Int, from socket: File) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var request = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, patience) > 0 else { throw Silence(description: "\(socket.path) says nothing") }
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let got = try check("read", path: socket.path) { Glibc.read(socket.descriptor, &buffer, buffer.count) }
            if got == 0 { throw Silence(description: "\(socket.path) closed the connection") }
            bytes += buffer.prefix(got)
        }
        return bytes
    }
}
