package import SSH

/// A growing file on the target that is read by offset: through SFTP, or by a program where there is none.
/// Belongs to one connection; runs on the SSH loop.
@SSHActor package final class SpoolFile {
    private let target: Target
    private let path: String
    private var handle: SFTPHandle?
    private var stream: SpoolStream?

    package init(_ path: String, on target: Target) {
        self.path = path
        self.target = target
    }

    /// Up to `count` bytes at an offset; empty at the end, and for a file that isn't there yet.
    package func read(at offset: Int64, count: Int = 32_768) async throws(SSHError) -> [UInt8] {
        guard let sftp = target.sftp else { return try await readByCopy(at: offset, count: count) }
        do throws(SSHError) {
            if handle == nil { handle = try await sftp.open(Array(path.utf8), .read) }
            guard let handle else { return [] }
            return try await sftp.read(handle, offset: UInt64(offset), count: count)
        } catch  where error.code == .sftp(2) {
            return []
        }
    }

    private func readByCopy(at offset: Int64, count: Int) async throws(SSHError) -> [UInt8] {
        let reader = target.reader
        // `dd` seeks by whole blocks; BusyBox's `tail` reads everything before the offset.
        let block: Int64 = reader == .dd ? 32_768 : 1
        let limit =
            switch reader {
            case .dd: " count=1"
            case .tail where target.facts.tools.contains("head"): " | head -c \(count)"
            case .tail, .cat: ""
            }
        if limit.isEmpty {
            let stream = stream ?? SpoolStream(path, on: target)
            self.stream = stream
            return try await stream.read(at: offset, count: count)
        }
        let copy = String(
            decoding: reader.command(Array(path.utf8), from: offset / block * block, block: block), as: UTF8.self)
        let reply = try await target.dispatcher.run(copy + limit)
        return Array(reply.body.dropFirst(Int(offset % block)).prefix(count))
    }

    package func close() async {
        stream?.close()
        stream = nil
        guard let handle, let sftp = target.sftp else { return }
        self.handle = nil
        try? await sftp.close(handle)
    }
}
