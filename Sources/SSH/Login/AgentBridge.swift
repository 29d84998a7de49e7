import Glibc
import LinuxSystem

/// An agent for libssh that has one key at a time, and lets the real agent sign.
///
/// libssh offers all keys of an agent, stops at the first of a type that it does not know, and cannot show a
/// certificate from a file. One key at a time also tells which one the server refused.
final class AgentBridge: Sendable {
    /// libssh talks here; it closes it with its session.
    let libsshEnd: Int32
    private let ownEnd: File
    private let agent: AgentClient
    private let state = Locked(State())

    private struct State {
        var shown: [UInt8] = []
        var signer: AgentIdentity?
        var hasRefused = false
    }

    init(_ agent: AgentClient) throws(SSHError) {
        self.agent = agent
        do {
            let (own, other) = try SocketPair.make()
            ownEnd = own
            libsshEnd = other
        } catch { throw SSHError(.authenticationFailed, error.description) }
        WorkerThread.start { [self] in serve() }
    }

    /// Chooses the key of the next login.
    /// - Parameter blob: the key or certificate to show.
    func present(_ blob: [UInt8], signedBy signer: AgentIdentity) {
        state.withLock { $0 = State(shown: blob, signer: signer) }
    }

    /// Whether the agent has not signed with the present key: it is locked, or its owner said no.
    var hasRefusedToSign: Bool { state.withLock { $0.hasRefused } }

    /// Ends the thread.
    func close() { _ = shutdown(ownEnd.descriptor, Int32(SHUT_RDWR)) }

    private func serve() {
        while let head = AgentMessage.read(4, from: ownEnd.descriptor, until: nil),
            let length = try? AgentMessage.length(of: head),
            let request = AgentMessage.read(length, from: ownEnd.descriptor, until: nil)
        {
            var packet = WireWriter()
            packet.string((try? answer(request)) ?? [AgentMessage.failure])
            guard (try? ownEnd.write(packet.bytes)) != nil else { return }
        }
    }

    private func answer(_ request: [UInt8]) throws(SSHError) -> [UInt8] {
        let (shown, signer) = state.withLock { ($0.shown, $0.signer) }
        guard let signer else { return [AgentMessage.failure] }
        var reader = WireReader(request[...], from: "libssh")
        switch try reader.uint8() {
        case AgentMessage.requestIdentities:
            var answer = WireWriter()
            answer.uint8(AgentMessage.identitiesAnswer)
            answer.uint32(1)
            answer.string(shown)
            answer.string(Array(signer.comment.utf8))
            return answer.bytes
        case AgentMessage.signRequest:
            _ = try reader.string()  // what libssh was shown; the agent may know the key by another name
            let data = try reader.string()
            return sign(data, flags: try reader.uint32(), signer)
        default: return [AgentMessage.failure]
        }
    }

    private func sign(_ data: [UInt8], flags: UInt32, _ signer: AgentIdentity) -> [UInt8] {
        var request = WireWriter()
        request.uint8(AgentMessage.signRequest)
        request.string(signer.blob)
        request.string(data)
        request.uint32(flags)
        let answer = (try? agent.exchange(request.bytes)) ?? [AgentMessage.failure]
        if answer.first != AgentMessage.signResponse { state.withLock { $0.hasRefused = true } }
        return answer
    }
}
