import CLibSSH
import Glibc

/// An authenticated connection to one server, owned by the poll loop until `close()` or until it is lost.
///
/// Close it: the loop keeps a session that nobody refers to any more.
@SSHActor package final class SSHSession {
    /// The server's host key, `SHA256:…`.
    nonisolated package let hostKeyFingerprint: String
    /// The host key's type, for example `ssh-ed25519`.
    nonisolated package let hostKeyType: String
    /// The server's greeting, for example `SSH-2.0-OpenSSH_9.2p1`.
    nonisolated package let serverBanner: String
    /// The server's address in numbers; behind a jump host its name.
    nonisolated package let address: String
    nonisolated package let algorithms: NegotiatedAlgorithms
    /// What let us in, as in messages: `key /home/me/.ssh/id_ed25519`, `password`; several where the server wanted more.
    nonisolated package let credentials: [String]

    /// nil once the session is lost or closed; libssh has then freed its channels, too.
    private(set) var raw: ssh_session?
    private let event: ssh_event
    private let counters: UnsafeMutablePointer<ssh_counter_struct>
    private let place: String
    /// Why the session is over.
    private(set) var failure: SSHError?
    private var channels: [SSHChannel] = []
    private var liveness: Liveness
    private var activityWaiters: [CheckedContinuation<Void, Never>] = []
    private var lossWaiters: [CheckedContinuation<SSHError, Never>] = []
    /// The count of received bytes of which `activityWaiters` know.
    private var announcedBytes: UInt64 = 0

    /// Connects, through the jump hosts if there are any, checks the host keys, and logs in.
    /// - Throws: every code but `sftp`, `channelRefused` and `closed`.
    package static func connect(_ options: SSHOptions) async throws(SSHError) -> SSHSession {
        try await Route(options).connect()
    }

    init(_ outcome: Handshake.Outcome, _ options: SSHOptions) {
        hostKeyFingerprint = outcome.hostKey.fingerprint
        hostKeyType = outcome.hostKey.type
        serverBanner = outcome.serverBanner
        address = outcome.address
        algorithms = outcome.algorithms
        credentials = outcome.credentials
        place = options.place
        raw = outcome.raw
        event = ssh_event_new()
        counters = .allocate(capacity: 1)
        counters.initialize(to: ssh_counter_struct())
        liveness = Liveness(interval: options.livenessInterval)
        ssh_set_blocking(outcome.raw, 0)
        ssh_set_counters(outcome.raw, counters, nil)
        // libssh's non-blocking mode leaves the socket blocking: a write to a stopped server would stop the loop.
        let descriptor = ssh_get_fd(outcome.raw)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        ssh_event_add_session(event, outcome.raw)
        Reactor.shared.add(self)
    }

    /// Whether nothing is known against the connection.
    package var isConnected: Bool { failure == nil }

    /// Waits until the session is lost or closed, and says why.
    package func waitUntilLost() async -> SSHError {
        if let failure { return failure }
        return await withCheckedContinuation { lossWaiters.append($0) }
    }

    /// Says goodbye and ends every channel; a second call does nothing.
    package func close() async {
        end(SSHError(.closed, "the session with \(place) is closed"), silently: false)
    }

    /// Starts a command in the user's login shell.
    package func openExec(_ command: String) async throws(SSHError) -> SSHChannel {
        try await openExec(Array(command.utf8))
    }

    /// Starts a command in the user's login shell.
    /// - Parameter command: bytes without NUL; dropbear accepts less than 9,000 of them.
    /// - Throws: `channelRefused` when the server takes no further channel or not the command.
    package func openExec(_ command: [UInt8]) async throws(SSHError) -> SSHChannel {
        guard !command.contains(0) else { throw SSHError(.channelRefused, "a command cannot contain a NUL byte") }
        let text = command.map { CChar(bitPattern: $0) } + [0]
        return try await open("a command on \(place)") { ssh_channel_request_exec($0, text) }
    }

    /// Opens a channel to the server's SFTP subsystem.
    /// - Parameter window: bytes that the server may have on their way to us, for bulk transfers over long links (4 MiB
    ///   made 68 MB/s of 24 at 25 ms). Use a session of its own for that: other channels would wait behind them.
    /// - Throws: `channelRefused` when the server takes no further channel or has no SFTP server; `closed` where the waiting
    ///   task is cancelled, which ends the channel: a server may hang before its greeting.
    package func openSFTP(window: Int? = nil) async throws(SSHError) -> SFTPClient {
        let channel = try await open("SFTP on \(place)") { ssh_channel_request_subsystem($0, "sftp") }
        let greeted: Result<SFTPClient, SSHError> = await withTaskCancellationHandler {
            do throws(SSHError) { return .success(try await SFTPClient(channel, window: window)) } catch {
                channel.close()
                return .failure(error)
            }
        } onCancel: {
            Task { @SSHActor in channel.close() }
        }
        return try greeted.get()
    }

    /// Opens a channel and asks for its program. Where the server closes the channel instead of an answer, and nothing has come
    /// of the program, it was not started (the answer would have come before): another channel is asked.
    /// - Parameter request: called again while it returns SSH_AGAIN, and never after that.
    func open(_ what: String, _ request: (ssh_channel) -> Int32) async throws(SSHError) -> SSHChannel {
        var isUnanswered = false
        var attempts = 0
        while true {
            attempts += 1
            do throws(SSHError) {
                return try await makeChannel(what) { (channel, handle) throws(SSHError) in
                    defer { isUnanswered = channel.isClosedByServer && channel.isUntouched }
                    try await complete("the server refused a channel for \(what)", channel) {
                        ssh_channel_open_session(handle)
                    }
                    channel.isOpen = true
                    try await complete("the server refused \(what)", channel) { request(handle) }
                }
            } catch { guard isUnanswered, attempts < Self.mostAttempts else { throw error } }
        }
    }

    /// Origin: dropbear leaves one of some hundred unanswered while other programs end, and several in a row where the
    /// machine is busy.
    private static let mostAttempts = 20

    /// Opens a channel to a port that the server connects to (RFC 4254, section 7.2).
    func openForward(_ host: String, _ port: Int) async throws(SSHError) -> SSHChannel {
        let what = "a connection to \(host):\(port)"
        return try await makeChannel(what) { (channel, handle) throws(SSHError) in
            channel.endsWithOutput = true
            // Where the connection comes from is for the server's log only.
            try await complete("no connection to \(host):\(port)", channel) {
                ssh_channel_open_forward(handle, host, Int32(port), "127.0.0.1", 0)
            }
            channel.isOpen = true
        }
    }

    private func makeChannel(
        _ what: String, _ setUp: @SSHActor (SSHChannel, ssh_channel) async throws(SSHError) -> Void
    ) async throws(SSHError) -> SSHChannel {
        guard let raw, failure == nil else { throw over }
        guard let handle = ssh_channel_new(raw) else { throw SSHError(.channelRefused, "no memory for \(what)") }
        let channel = SSHChannel(session: self, handle: handle)
        channels.append(channel)
        do throws(SSHError) { try await setUp(channel, handle) } catch {
            channel.isSetUp = true
            channel.close()
            throw error
        }
        channel.isSetUp = true
        return channel
    }

    /// Repeats a call that waits for the server's answer, each time that something has come from the server.
    private func complete(
        _ refusal: String, _ channel: SSHChannel, _ call: () -> Int32
    ) async throws(SSHError) {
        while true {
            guard let raw, failure == nil else { throw over }
            let mark = receivedBytes
            let result = call()
            if result == SSH_OK { return }
            guard result == SSH_AGAIN else {
                let reason = lastError(raw)
                noticeDeath()
                if let failure { throw failure }
                throw SSHError(.channelRefused, "\(refusal): \(reason)")
            }
            // Answers come in order: there will be none behind the end of the channel. dropbear (2022.83) ends one whose
            // program was not asked for yet when another one's program ends.
            if channel.isClosedByServer { throw SSHError(.channelRefused, "\(refusal): it has closed the channel") }
            try await activity(since: mark)
        }
    }
}

extension SSHSession {
    /// The error for an operation on a session that is over.
    var over: SSHError { failure ?? SSHError(.closed, "the session with \(place) is closed") }

    /// Bytes that have come from the server, whatever was in them.
    var receivedBytes: UInt64 { raw == nil ? 0 : counters.pointee.in_bytes }

    /// Waits until more has come than `mark`. Take the mark before the call whose answer is awaited.
    func activity(since mark: UInt64) async throws(SSHError) {
        if failure == nil, receivedBytes == mark {
            await withCheckedContinuation { activityWaiters.append($0) }
        }
        if let failure { throw failure }
    }

    /// The socket, for poll(2); -1 is ignored there.
    var descriptor: Int32 { raw.map { ssh_get_fd($0) } ?? -1 }

    var pollEvents: Int16 { raw.map { SocketEvents.wanted(by: $0) } ?? 0 }

    /// When the session wants to be looked after although nothing came; see `Clock.boottimeNanoseconds`.
    var nextLivenessCheck: Int64 { liveness.nextCheck }

    /// Lets libssh read and write what the socket is ready for. The channels' callbacks run in here.
    func handleSocket() {
        guard let raw else { return }
        for _ in 0..<Self.readsAtOnce {
            let before = receivedBytes
            _ = ssh_event_dopoll(event, 0)
            if receivedBytes == before || ssh_is_connected(raw) == 0 { return }
        }
    }

    /// Origin: libssh reads 4 KiB at a time; so many are half a millisecond, in which no other session is looked after,
    /// and save as many rounds of the loop.
    private static let readsAtOnce = 64

    /// Everything that must not happen inside a callback: death, waiting calls, finished channels, signs of life.
    func settle(now: Int64) {
        noticeDeath()
        guard let raw, failure == nil else { return }
        if receivedBytes != announcedBytes {
            announcedBytes = receivedBytes
            resumeActivityWaiters()
        }
        for channel in channels where channel.isFinished { channel.reap() }
        switch liveness.check(now: now, receivedBytes: receivedBytes) {
        case .fine: break
        case .ask:
            // Every second call only harvests the answer to the one before: two calls send one question.
            ssh_send_keepalive(raw)
            ssh_send_keepalive(raw)
        case .dead(let seconds):
            end(SSHError(.connectionLost, "lost \(place): no sign of life for \(seconds) s"), silently: true)
        }
    }

    /// Ends the session because what carries it has failed.
    func fail(_ error: SSHError) { end(error, silently: true) }

    /// A reaped channel is the session's business no longer.
    func forget(_ channel: SSHChannel) { channels.removeAll { $0 === channel } }

    /// Looks whether the session is dead, which libssh reports by no callback: its state can be an error while it still
    /// says "connected". Not to be called inside of a callback.
    func noticeDeath() {
        guard let raw, failure == nil else { return }
        let broken = ssh_get_status(raw) & (SSH_CLOSED | SSH_CLOSED_ERROR) != 0
        guard ssh_is_connected(raw) == 0 || broken else { return }
        let reason = lastError(raw)
        end(
            SSHError(.connectionLost, "lost \(place): \(reason.isEmpty ? "the connection was closed" : reason)"),
            silently: true)
    }

    /// Frees everything in the order that libssh needs: channels, event, connection, session.
    private func end(_ error: SSHError, silently: Bool) {
        guard let raw, failure == nil else { return }
        failure = error
        self.raw = nil
        for channel in channels { channel.sessionEnded(raw) }
        channels = []
        ssh_event_remove_session(event, raw)
        disconnect(raw, silently: silently)
        ssh_event_free(event)
        counters.deallocate()
        Reactor.shared.remove(self)
        resumeActivityWaiters()
        for waiter in lossWaiters { waiter.resume(returning: error) }
        lossWaiters = []
    }

    /// With a descriptor that was given by an option, `ssh_disconnect` leaves the closing to us.
    private func disconnect(_ raw: ssh_session, silently: Bool) {
        if silently {
            ssh_silent_disconnect(raw)
        } else {
            let descriptor = ssh_get_fd(raw)
            ssh_disconnect(raw)
            if descriptor >= 0 { Glibc.close(descriptor) }
        }
        ssh_free(raw)
    }

    private func resumeActivityWaiters() {
        let waiters = activityWaiters
        activityWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}
