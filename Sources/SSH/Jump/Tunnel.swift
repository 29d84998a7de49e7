import Glibc
import LinuxSystem

/// A connection through a jump host: copies bytes between a channel of the jump host's session and a socket on which
/// the next session runs. It owns the jump host's session, and ends it when the next session has ended.
@SSHActor final class Tunnel {
    private let jump: SSHSession
    private let jumpPlace: String
    private let channel: SSHChannel
    private let socket: File
    /// For the next session, which closes the descriptor.
    nonisolated let path: Handshake.Path
    /// Why the tunnel broke, nil while it stands or where it was ended in peace.
    private(set) var failure: SSHError?
    private weak var carried: SSHSession?

    private init(_ jump: SSHSession, _ place: String, _ channel: SSHChannel, _ socket: File, _ other: Int32) {
        self.jump = jump
        jumpPlace = place
        self.channel = channel
        self.socket = socket
        path = .tunnel(other)
    }

    /// Lets the jump host connect to the next one. Closes its session when that fails.
    static func open(
        on jump: SSHSession, from hop: SSHOptions, to next: SSHOptions, _ deadline: Deadline
    ) async throws(SSHError) -> Tunnel {
        // A jump host that waits for a dead network answers too late, and is not silent either.
        let watchdog = Task {
            try await deadline.wait(beyond: 0)
            jump.fail(
                SSHError(
                    .unreachable,
                    "cannot reach \(next.place) through \(hop.place): timed out after \(deadline.description)"))
        }
        defer { watchdog.cancel() }
        do throws(SSHError) {
            let (socket, other) = try pair(next.place)
            do throws(SSHError) {
                let channel = try await jump.openForward(next.host, next.port)
                let tunnel = Tunnel(jump, hop.place, channel, socket, other)
                tunnel.start()
                return tunnel
            } catch {
                Glibc.close(other)
                throw error
            }
        } catch {
            await jump.close()
            throw refusal(error, hop, next)
        }
    }

    private static func pair(_ place: String) throws(SSHError) -> (File, Int32) {
        do {
            let (socket, other) = try SocketPair.make()
            // The loop's end must never block; the other is set by the session that takes it over.
            try check("configure a socket") {
                fcntl(socket.descriptor, F_SETFL, fcntl(socket.descriptor, F_GETFL) | O_NONBLOCK)
            }
            return (socket, other)
        } catch { throw SSHError(.unreachable, "cannot reach \(place): \(error.description)") }
    }

    /// What a refused connection means (RFC 4254, section 5.1: 1 is a prohibition, 2 a failed connection).
    private static func refusal(_ error: SSHError, _ hop: SSHOptions, _ next: SSHOptions) -> SSHError {
        guard error.code == .channelRefused else { return error }
        let intro = "cannot reach \(next.place) through \(hop.place)"
        if error.message.contains("error (1)") {
            return SSHError(
                .unreachable, "\(intro): the jump host does not allow it",
                hint: "AllowTcpForwarding and PermitOpen in the sshd_config of \(hop.host) decide about it")
        }
        let reason = error.message.firstRange(of: "error (2) ").map { error.message[$0.upperBound...] }
        return SSHError(.unreachable, "\(intro): \(reason ?? error.message[...])")
    }

    /// Makes the loss of the jump host a loss of the session.
    func carry(_ session: SSHSession) {
        carried = session
        if let failure { session.fail(failure) }
    }

    // MARK: Copying

    private func start() {
        Task { await self.copyIn() }
        Task { await self.copyOut() }
    }

    /// From the jump host to the next session.
    private func copyIn() async {
        do throws(SSHError) {
            while let output = try await channel.read() {
                guard case .stdout(let bytes) = output else { continue }
                if await !write(bytes) { break }
            }
            // The end of the stream tells the next session that its server has closed the connection.
            shutdown(socket.descriptor, Int32(SHUT_WR))
        } catch {
            breakOff(error)
        }
    }

    /// From the next session to the jump host. Its end ends the tunnel.
    private func copyOut() async {
        while let bytes = await readSocket() {
            do throws(SSHError) { try await channel.write(bytes) } catch {
                if error.code == .connectionLost { breakOff(error) }
                break
            }
        }
        channel.close()
        await jump.close()
    }

    private func breakOff(_ error: SSHError) {
        guard failure == nil, error.code == .connectionLost else { return }
        let failure = SSHError(.connectionLost, "\(error.message), and with it what was behind it")
        self.failure = failure
        carried?.fail(failure)
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
    }

    /// Origin: twice the largest SSH packet, so that one read takes what has gathered.
    private static let readSize = 64 << 10

    /// The next bytes of the socket; nil at its end.
    private func readSocket() async -> [UInt8]? {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Tunnel.readSize) { buffer, used in
                count = Glibc.read(socket.descriptor, buffer.baseAddress, buffer.count)
                used = max(0, count)
            }
            if count > 0 { return bytes }
            guard count < 0, errno == EAGAIN || errno == EINTR else { return nil }
            await Reactor.shared.wait(for: Int16(POLLIN), on: socket.descriptor)
        }
    }

    /// False when nobody reads any more.
    private func write(_ bytes: [UInt8]) async -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(socket.descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                done += count
            } else {
                guard errno == EAGAIN || errno == EINTR else { return false }
                await Reactor.shared.wait(for: Int16(POLLOUT), on: socket.descriptor)
            }
        }
        return true
    }
}
