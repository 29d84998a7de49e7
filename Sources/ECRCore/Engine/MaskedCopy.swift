import Glibc
import Hashing
import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// A recorded stream with masked secrets, and the target's copy of it, which has them.
struct MaskedCopy: Sendable {
    let stream: String
    private let remote: String
    private let path: String
    private let base: Int64
    private let bytes: Int64
    private let masked: Int64

    /// The streams of a job in which something is masked.
    /// - Parameter base: where the job's bytes begin in the log of a collector.
    static func all(of job: JobState, in directory: RunDirectory, base: Int64) -> [MaskedCopy] {
        let streams = [
            ("stdout", job.stdoutBytes, job.stdoutMasked), ("stderr", job.stderrBytes, job.stderrMasked),
        ]
        return streams.filter { $0.2 > 0 }.map { stream, bytes, masked in
            let isCollector = job.kind == .collector
            return MaskedCopy(
                stream: stream, remote: "\(job.spool ?? "")/\(SpoolFolder.name(of: job.id))/\(stream)",
                path: isCollector
                    ? directory.collectorLog(job.name) : directory.actionLog(job: job.id, stream: stream),
                base: base, bytes: bytes, masked: masked)
        }
    }

    /// Reads the target's copy again.
    /// - Returns: its SHA-256, if the record differs from it by `*` alone, and by no more of them than were masked.
    /// - Throws: `SSHError`, `SystemError`.
    func hash(on target: Target, _ worker: Worker) async throws -> String? {
        let file = await SpoolFile(remote, on: target)
        let comparison = try await worker.run { try Comparison(path: path, base: base) }
        var offset: Int64 = 0
        while offset < bytes {
            let count = Int(min(32_768, bytes - offset))
            let piece = try await file.read(at: offset, count: count)
            if piece.isEmpty { break }
            try await worker.run { try comparison.take(piece) }
            offset += Int64(piece.count)
        }
        await file.close()
        return try await worker.run { comparison.hash(count: bytes, masked: masked) }
    }

    /// Touched by one worker only.
    private final class Comparison: @unchecked Sendable {
        // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
        private let file: File
        private let base: Int64
        private var hash = SHA256()
        private var offset: Int64 = 0
        private var stars: Int64 = 0
        private var isEqual = true

        init(path: String, base: Int64) throws {
            file = try File(path: path, O_RDONLY)
            self.base = base
        }

        func take(_ bytes: [UInt8]) throws {
            hash.update(bytes)
            let recorded = try file.read(at: base + offset, count: bytes.count)
            offset += Int64(bytes.count)
            guard recorded.count == bytes.count else {
                isEqual = false
                return
            }
            for (there, here) in zip(bytes, recorded) where there != here {
                if here == UInt8(ascii: "*") { stars += 1 } else { isEqual = false }
            }
        }

        func hash(count: Int64, masked: Int64) -> String? {
            isEqual && offset == count && stars <= masked ? hash.hexDigest() : nil
        }
    }
}
