import LinuxSystem

/// Packs local files into an archive, piece by piece, and takes their hashes on the way. Touched by one worker only.
final class TarSource: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let files: [LocalFile]
    private var next = 0
    private var current: LocalReader?
    private var hasEnded = false
    /// Of the files that are packed whole.
    private(set) var hashes: [String] = []

    /// Origin: what an SSH channel takes at a time; many small files are one hop to this thread and one packet.
    private static let piece = 256 << 10

    init(_ files: [LocalFile]) { self.files = files }

    /// The next bytes; empty behind the archive's end.
    /// - Throws: `TransferFailure` where a file is not what it was when it was found.
    func read() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < Self.piece, next < files.count { try pack(&bytes) }
        if next == files.count, !hasEnded {
            hasEnded = true
            bytes += TarWriter.end
        }
        return bytes
    }

    private func pack(_ bytes: inout [UInt8]) throws {
        let file = files[next]
        if current == nil {
            bytes += TarWriter.header(file.relative, size: file.size, permissions: file.permissions)
            current = try LocalReader(file)
        }
        guard let reader = current else { return }
        let content = try reader.next()
        bytes += content
        guard content.isEmpty else { return }
        bytes += TarWriter.padding(file.size)
        hashes.append(try reader.finish())
        current = nil
        next += 1
    }
}
