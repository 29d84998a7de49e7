extension SFTPClient {
    /// A read request without its bytes yet.
    private struct Part {
        let offset: UInt64
        let count: Int
        let reply: PendingReply
    }

    /// Origin: small files should not cost a whole pipeline of requests beyond their end; it doubles from here.
    private static var firstDepth: Int { 4 }

    /// Origin: the sink's work costs a hop to another thread and back; a piece of this size makes that nothing.
    private static var largestPiece: Int { 1 << 20 }

    /// Reads a file from an offset to its end, many requests at a time, and hands its bytes over in order.
    /// - Parameters:
    ///   - end: nothing from this offset on is wanted.
    ///   - depth: the most requests in flight; 32 KiB each is what is kept in memory.
    ///   - sink: takes the bytes at an offset; while it works no new requests are made. What it throws ends the download.
    package func download(
        _ file: SFTPHandle, from offset: UInt64 = 0, to end: UInt64 = .max, depth: Int = 128,
        _ sink: @Sendable (UInt64, [UInt8]) async throws -> Void
    ) async throws {
        var parts: [Part] = []
        var next = offset
        var limit = min(depth, SFTPClient.firstDepth)
        while true {
            while parts.count < limit, next < end {
                let count = Int(min(UInt64(SFTPClient.chunk), end - next))
                parts.append(try await request(file, next, count))
                next += UInt64(count)
            }
            guard let start = parts.first?.offset else { return }
            var piece: [UInt8] = []
            repeat {
                let part = parts.removeFirst()
                let bytes = try content(of: await part.reply.value(), limit: UInt32(part.count))
                if bytes.isEmpty {
                    if !piece.isEmpty { try await sink(start, piece) }
                    return
                }
                if bytes.count < part.count {
                    // A short read: the rest of this part comes before the parts that were asked after it.
                    let rest = try await request(file, part.offset + UInt64(bytes.count), part.count - bytes.count)
                    parts.insert(rest, at: 0)
                }
                piece += bytes
            } while piece.count < Self.largestPiece && parts.first?.reply.isThere == true
            limit = min(depth, limit * 2)
            try await sink(start, piece)
        }
    }

    private func request(_ file: SFTPHandle, _ offset: UInt64, _ count: Int) async throws(SSHError) -> Part {
        let reply = try await send(.read(handle: file.bytes, offset: offset, count: UInt32(count)))
        return Part(offset: offset, count: count, reply: reply)
    }
}
