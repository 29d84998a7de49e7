extension SFTPClient {
    /// A write request whose answer is still to come.
    private struct Sent {
        let count: Int
        let reply: PendingReply
    }

    /// Writes what a source gives into a file from an offset on, many requests at a time.
    /// - Parameters:
    ///   - depth: the most requests in flight; 32 KiB each is what is kept in memory. Origin: twice the window of 2 MiB
    ///     that OpenSSH gives a channel.
    ///   - confirmed: told of the offset before which everything is written.
    ///   - source: the bytes that follow; nil at their end. What it throws ends the upload.
    /// - Throws: `sftp(status)` for the first request that the server refuses.
    package func upload(
        _ file: SFTPHandle, from offset: UInt64 = 0, depth: Int = 128,
        confirmed: @Sendable (UInt64) -> Void = { _ in }, _ source: @Sendable () async throws -> [UInt8]?
    ) async throws {
        var sent: [Sent] = []
        var next = offset
        var done = offset
        while let piece = try await source() {
            for start in stride(from: 0, to: piece.count, by: SFTPClient.chunk) {
                let bytes = Array(piece[start..<min(start + SFTPClient.chunk, piece.count)])
                if sent.count >= depth {
                    done += UInt64(try await settle(sent.removeFirst()))
                    confirmed(done)
                }
                let reply = try await send(.write(handle: file.bytes, offset: next, bytes: bytes))
                sent.append(Sent(count: bytes.count, reply: reply))
                next += UInt64(bytes.count)
                // A server that refuses is noticed at once, and so is one that takes its time.
                let before = done
                while let first = sent.first, first.reply.isThere {
                    done += UInt64(try await settle(sent.removeFirst()))
                }
                if done > before { confirmed(done) }
            }
        }
        for request in sent {
            done += UInt64(try await settle(request))
            confirmed(done)
        }
    }

    private func settle(_ request: Sent) async throws(SSHError) -> Int {
        try confirm(await request.reply.value(), "write")
        return request.count
    }
}
