extension SFTPClient {
    /// A write request whose answer is still to come.
    private struct Sent {
        let count: Int
        let reply: PendingReply
    }

    /// Writes what a source gives into a file from an offset on, many requests at a time.
    /// - Parameters:
    ///   - ahead: the most bytes without an answer, which is what is kept in memory. Origin: twice the window of 2 MiB
    ///     that OpenSSH gives a channel.
    ///   - confirmed: told of the offset before which everything is written.
    ///   - source: the bytes that follow; nil at their end. What it throws ends the upload.
    /// - Throws: `sftp(status)` for the first request that the server refuses.
    package func upload(
        _ file: SFTPHandle, from offset: UInt64 = 0, ahead: UInt64 = 4 << 20,
        confirmed: @Sendable (UInt64) -> Void = { _ in }, _ source: @Sendable () async throws -> [UInt8]?
    ) async throws {
        var sent: [Sent] = []
        var next = offset
        var done = offset
        var size = SFTPRequestSize()
        func settle() async throws(SSHError) {
            let request = sent.removeFirst()
            try confirm(await request.reply.value(), "write")
            size.note(request.count)
            done += UInt64(request.count)
        }
        while let piece = try await source() {
            var rest = piece[...]
            while !rest.isEmpty {
                let bytes = rest.prefix(size.next(limit: limits.write))
                rest = rest.dropFirst(bytes.count)
                while !sent.isEmpty, next - done >= ahead {
                    try await settle()
                    confirmed(done)
                }
                let reply = try await send(.write(handle: file.bytes, offset: next, bytes: bytes))
                sent.append(Sent(count: bytes.count, reply: reply))
                next += UInt64(bytes.count)
                // A server that refuses is noticed at once, and so is one that takes its time.
                let before = done
                while sent.first?.reply.isThere == true { try await settle() }
                if done > before { confirmed(done) }
            }
        }
        while !sent.isEmpty {
            try await settle()
            confirmed(done)
        }
    }
}
