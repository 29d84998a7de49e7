package import SSH

/// A growing file on the target that is read by offset: through SFTP, or by `dd` where there is none.
/// Belongs to one connection; runs on the SSH loop.
@SSHActor package final class SpoolFile {
    private let target: Target
    private let path: String
    private var handle: SFTPHandle?

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

    /// `dd` seeks by whole blocks (BusyBox's `tail -c +N` would read everything before the offset).
    private func readByCopy(at offset: Int64, count: Int) async throws(SSHError) -> [UInt8] {
        let block: Int64 = 32_768
        let reply = try await target.dispatcher.run(
            "dd if=\(shellWord(path)) bs=\(block) skip=\(offset / block) count=1")
        return Array(reply.body.dropFirst(Int(offset % block)).prefix(count))
    }

    package func close() async {
        guard let handle, let sftp = target.sftp else { return }
        self.handle = nil
        try? await sftp.close(handle)
    }
}
