/// Files of the target over one channel: SFTP version 3 (draft-ietf-secsh-filexfer-02), many requests in flight.
///
/// A codec of our own, since libssh 0.10's blocks, and its pipelined reader shifts offsets after short reads. Paths and
/// names are raw bytes. Owned by the poll loop; `close()` it, or it lives as long as its session.
@SSHActor package final class SFTPClient {
    private let channel: SSHChannel
    private var pending: [UInt32: PendingReply] = [:]
    private var lastID: UInt32 = 0
    /// Why no request can be answered any more.
    private var failure: SSHError?
    /// What the server takes, as far as it has told.
    package private(set) var limits = SFTPLimits()

    /// Greets the server on a fresh channel.
    init(_ channel: SSHChannel, window: Int?) async throws(SSHError) {
        self.channel = channel
        var decoder = SFTPDecoder()
        try await channel.write(SFTPRequest.initialization)
        var greeting: SFTPReply?
        while greeting == nil {
            guard let output = try await channel.read() else {
                if Task.isCancelled { throw SSHError(.closed, "the SFTP server's greeting is not waited for any more") }
                throw SSHError(.channelRefused, "the SFTP server has ended without a greeting")
            }
            if case .stdout(let bytes) = output { decoder.append(bytes) }
            greeting = try decoder.next()?.reply
        }
        // Servers answer with the lower of both versions; 3 is the one that all speak.
        guard case .version(3, let extensions) = greeting else {
            throw SSHError(.protocolViolation, "the SFTP server does not speak version 3")
        }
        Task { await self.receive(decoder) }
        guard let window else { return }
        channel.widen(to: window)
        if extensions.contains(SFTPLimits.question) { try await askForLimits() }
    }

    /// Nobody waits for the answer: until it is here all requests are small.
    private func askForLimits() async throws(SSHError) {
        let reply = try await send(.extended(name: SFTPLimits.question))
        Task {
            guard case .extended(let answer) = try? await reply.value(), let limits = SFTPLimits(answer: answer)
            else { return }
            self.limits = limits
        }
    }

    /// Whether no request can be answered any more.
    package var isOver: Bool { failure != nil || channel.session.failure != nil }

    /// Ends the channel; requests without an answer throw `closed`.
    package func close() {
        fail(SSHError(.closed, "the SFTP channel is closed"))
        channel.close()
    }

    /// Sends a request; its answer is awaited on what this returns.
    func send(_ request: SFTPRequest) async throws(SSHError) -> PendingReply {
        if let failure = channel.session.failure ?? failure { throw failure }
        lastID &+= 1
        let id = lastID
        let reply = PendingReply()
        pending[id] = reply
        do {
            try await channel.write(request.encoded(id: id))
        } catch {
            pending[id] = nil
            throw failure ?? error
        }
        return reply
    }

    /// Sends a request and waits for its answer.
    func ask(_ request: SFTPRequest) async throws(SSHError) -> SFTPReply {
        try await send(request).value()
    }

    /// Hands the replies to those who wait, until the channel ends.
    private func receive(_ initial: SFTPDecoder) async {
        var decoder = initial
        do {
            try dispatch(&decoder)
            while let output = try await channel.read() {
                guard case .stdout(let bytes) = output else { continue }
                decoder.append(bytes)
                try dispatch(&decoder)
            }
            fail(SSHError(.closed, "the SFTP server has ended"))
        } catch {
            fail(error)
            channel.close()
        }
    }

    private func dispatch(_ decoder: inout SFTPDecoder) throws(SSHError) {
        while let (id, reply) = try decoder.next() {
            guard let waiting = pending.removeValue(forKey: id) else {
                throw SSHError(.protocolViolation, "the SFTP server has answered a request that nobody made")
            }
            waiting.complete(.success(reply))
        }
    }

    private func fail(_ error: SSHError) {
        if failure == nil { failure = error }
        let waiting = pending.values
        pending = [:]
        for reply in waiting { reply.complete(.failure(error)) }
    }
}

/// The answer to one request, now or later. Dropping it is fine: the answer is then thrown away.
@SSHActor final class PendingReply {
    private var result: Result<SFTPReply, SSHError>?
    private var waiter: CheckedContinuation<Void, Never>?

    func complete(_ result: Result<SFTPReply, SSHError>) {
        self.result = result
        waiter?.resume()
        waiter = nil
    }

    /// Whether nobody would have to wait for it.
    var isThere: Bool { result != nil }

    /// Waits for the answer. One waiter.
    /// - Throws: `closed` where the waiting task is cancelled; the answer is thrown away then.
    func value() async throws(SSHError) -> SFTPReply {
        if result == nil, !Task.isCancelled {
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiter = $0 }
            } onCancel: {
                Task { @SSHActor in self.giveUp() }
            }
        }
        guard let result else { throw SSHError(.closed, "the SFTP server's answer is not waited for any more") }
        return try result.get()
    }

    private func giveUp() {
        waiter?.resume()
        waiter = nil
    }
}
