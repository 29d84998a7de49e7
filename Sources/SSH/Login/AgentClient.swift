import Glibc
import LinuxSystem

/// A key that the agent holds.
struct AgentIdentity: Sendable {
    /// Key or certificate in its wire format.
    let blob: [UInt8]
    let comment: String

    /// The plain public key.
    var keyBlob: [UInt8] { Certificate.keyBlob(in: blob) ?? blob }

    /// As in messages: `me@laptop (ssh-ed25519)`.
    var name: String {
        var reader = WireReader(blob[...], from: "the agent")
        let type = (try? reader.string()).map { String(decoding: $0, as: UTF8.self) } ?? "?"
        return comment.isEmpty ? "(\(type))" : "\(comment) (\(type))"
    }
}

/// A connection to ssh-agent (draft-miller-ssh-agent): requests and answers, each with its length before it. Blocks
/// until the deadline; of one thread at a time.
final class AgentClient: Sendable {
    private let socket: File
    private let deadline: Deadline

    init(path: String, deadline: Deadline) throws(SSHError) {
        self.deadline = deadline
        do { socket = try UnixSocket.connect(to: path) } catch {
            throw SSHError(.authenticationFailed, error.reason)
        }
    }

    func identities() throws(SSHError) -> [AgentIdentity] {
        let answer = try exchange([AgentMessage.requestIdentities])
        var reader = WireReader(answer[...], from: "the agent")
        guard try reader.uint8() == AgentMessage.identitiesAnswer else {
            throw SSHError(.authenticationFailed, "it does not list its keys")
        }
        var found: [AgentIdentity] = []
        for _ in 0..<(try reader.uint32()) {
            let blob = try reader.string()
            found.append(AgentIdentity(blob: blob, comment: String(decoding: try reader.string(), as: UTF8.self)))
        }
        return found
    }

    func exchange(_ request: [UInt8]) throws(SSHError) -> [UInt8] {
        var packet = WireWriter()
        packet.string(request)
        do { try socket.write(packet.bytes) } catch { throw SSHError(.authenticationFailed, error.reason) }
        let length = try AgentMessage.length(of: try read(4))
        return try read(length)
    }

    private func read(_ count: Int) throws(SSHError) -> [UInt8] {
        guard let bytes = AgentMessage.read(count, from: socket.descriptor, until: deadline) else {
            throw SSHError(.authenticationFailed, deadline.isOver ? "it does not answer" : "it has hung up")
        }
        return bytes
    }
}

/// The numbers of the agent protocol that are used here, and its framing.
enum AgentMessage {
    static let failure: UInt8 = 5
    static let requestIdentities: UInt8 = 11
    static let identitiesAnswer: UInt8 = 12
    static let signRequest: UInt8 = 13
    static let signResponse: UInt8 = 14

    /// Origin: libssh and OpenSSH take at most 256 KiB.
    static func length(of bytes: [UInt8]) throws(SSHError) -> Int {
        let length = bytes.reduce(0) { $0 << 8 | Int($1) }
        guard (1...(256 << 10)).contains(length) else {
            throw SSHError(.protocolViolation, "its answer has \(length) bytes")
        }
        return length
    }

    /// Exactly so many bytes; nil at the stream's end, or when the deadline passes.
    /// - Parameter deadline: nil waits forever.
    static func read(_ count: Int, from descriptor: Int32, until deadline: Deadline?) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, deadline?.milliseconds ?? -1)
            if ready == 0 || ready < 0 && errno != EINTR { return nil }
            if ready < 0 { continue }
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, count - filled) }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }
}
