extension SFTPClient {
    /// A read request without its bytes yet.
    private struct Part {
        let offset: UInt64
        let count: Int
        let reply: PendingReply
    }

    /// Bytes. Origin: small files should not cost a whole pipeline of requests beyond their end; it doubles from here.
    private static var firstAhead: UInt64 { 128 << 10 }

    /// Origin: the sink's work costs a hop to another thread and back; so many bytes make that nothing.
    private static var mostAtOnce: Int { 1 << 20 }

    /// Reads a file from an offset to its end, many requests at a time, and hands its bytes over in order.
    /// - Parameters:
    ///   - end: nothing from this offset on is wanted.
    ///   - ahead: the most bytes that were asked for and have not come, which is what is kept in memory.
    ///   - sink: takes pieces that follow one another; while it works no new requests are made. What it throws ends the
    ///     download.
    package func download(
        _ file: SFTPHandle, from offset: UInt64 = 0, to end: UInt64 = .max, ahead: UInt64 = 4 << 20,
        _ sink: @Sendable ([[UInt8]]) async throws -> Void
    ) async throws {
        var parts: [Part] = []
        var next = offset
        var limit = min(ahead, Self.firstAhead)
        var size = SFTPRequestSize()
        while true {
            while next < end, next - (parts.first?.offset ?? next) < limit {
                let count = Int(min(UInt64(size.next(limit: limits.read)), end - next))
                parts.append(try await request(file, next, count))
                next += UInt64(count)
            }
            if parts.isEmpty { return }
            var pieces: [[UInt8]] = []
            var count = 0
            repeat {
                let part = parts.removeFirst()
                let bytes = try content(of: await part.reply.value(), limit: UInt32(part.count))
                if bytes.isEmpty {
                    if !pieces.isEmpty { try await sink(pieces) }
                    return
                }
                if bytes.count < part.count {
                    // A short read: the rest of this part comes before the parts that were asked after it.
                    let rest = try await request(file, part.offset + UInt64(bytes.count), part.count - bytes.count)
                    parts.insert(rest, at: 0)
                }
                count += bytes.count
                pieces.append(bytes)
            } while count < Self.mostAtOnce && parts.first?.reply.isThere == true
            size.note(count)
            limit = min(ahead, limit * 2)
            try await sink(pieces)
        }
    }

    private func request(_ file: SFTPHandle, _ offset: UInt64, _ count: Int) async throws(SSHError) -> Part {
        let reply = try await send(.read(handle: file.bytes, offset: offset, count: UInt32(count)))
        return Part(offset: offset, count: count, reply: reply)
    }
}
