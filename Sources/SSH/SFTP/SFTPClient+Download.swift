extension SFTPClient {
    /// A read request without its bytes yet.
    private struct Part {
        let offset: UInt64
        let count: Int
        let reply: PendingReply
    }

    /// Origin: small files should not cost a whole pipeline of requests beyond their end; it doubles from here.
    private static var firstDepth: Int { 4 }

    /// Reads a file from an offset to its end, many requests at a time, and hands its bytes over in order.
    /// - Parameters:
    ///   - depth: the most requests in flight; 32 KiB each is what is kept in memory.
    ///   - sink: takes the bytes at an offset; while it works no new requests are made. What it throws ends the download.
    package func download(
        _ file: SFTPHandle, from offset: UInt64 = 0, depth: Int = 64,
        _ sink: @Sendable (UInt64, [UInt8]) async throws -> Void
    ) async throws {
        var parts: [Part] = []
        var next = offset
        var limit = min(depth, SFTPClient.firstDepth)
        while true {
            while parts.count < limit {
                parts.append(try await request(file, next, SFTPClient.chunk))
                next += UInt64(SFTPClient.chunk)
            }
            let part = parts.removeFirst()
            let bytes = try content(of: await part.reply.value(), limit: UInt32(part.count))
            if bytes.isEmpty { return }
            if bytes.count < part.count {
                // A short read: the rest of this part comes before the parts that were asked after it.
                let rest = try await request(file, part.offset + UInt64(bytes.count), part.count - bytes.count)
                parts.insert(rest, at: 0)
            }
            limit = min(depth, limit * 2)
            try await sink(part.offset, bytes)
        }
    }

    private func request(_ file: SFTPHandle, _ offset: UInt64, _ count: Int) async throws(SSHError) -> Part {
        let reply = try await send(.read(handle: file.bytes, offset: offset, count: UInt32(count)))
        return Part(offset: offset, count: count, reply: reply)
    }
}
