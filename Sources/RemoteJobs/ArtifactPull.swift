import Glibc
import Hashing
package import LinuxSystem
package import SSH

/// A file that is in the run now.
package struct PulledFile: Sendable, Equatable {
    package let size: Int64
    package let sha256: String
    package let modificationTime: UInt32
    /// The file's size differed from what was asked for at first: it changed while it was read.
    package let hasChanged: Bool
}

/// Pulls files over SFTP: many requests in flight, bounded memory, temporary name, sync, rename.
@SSHActor package struct ArtifactPull {
    private let sftp: SFTPClient
    /// Writes and syncs away from the SSH loop.
    private let worker: Worker

    package init(_ sftp: SFTPClient, worker: Worker) {
        self.sftp = sftp
        self.worker = worker
    }

    /// Pulls one file to a new local path; nothing is there under that name unless all of it is.
    /// - Parameter progress: bytes so far.
    /// - Throws: `SSHError` from the target, `SystemError` from the local disk.
    package func pull(
        _ file: RemoteFile, to destination: String, progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws -> PulledFile {
        // A name of its own: the file's may be as long as names can be. No file of a target can get it, since `%` is
        // always encoded (ArtifactName), and one pull at a time writes to a job's folder.
        let temporary = "\(FileSystem.parent(of: destination))/%part"
        let sink = try await worker.run {
            try FileSystem.makeDirectories(FileSystem.parent(of: destination))
            return PullSink(try File(path: temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW))
        }
        do {
            let handle = try await sftp.open(file.path, .read)
            let worker = worker
            try await sftp.download(handle, from: 0) { _, bytes in
                progress(try await worker.run { try sink.append(bytes) })
            }
            let after = try await sftp.attributes(of: handle)
            try? await sftp.close(handle)
            let (size, hash) = try await worker.run { try sink.finish(as: destination, mode: file.permissions) }
            return PulledFile(
                size: size, sha256: hash, modificationTime: after.modificationTime ?? file.modificationTime,
                hasChanged: UInt64(size) != file.size || after.size != file.size)
        } catch {
            _ = try? await worker.run { unlink(temporary) }
            throw error
        }
    }
}

/// The local end of a pull; touched by one worker only.
private final class PullSink: @unchecked Sendable {
    // @unchecked because only the jobs of one `Worker`, which run one after the other, touch it.
    private let file: File
    private var hash = SHA256()
    private var written: Int64 = 0

    init(_ file: File) { self.file = file }

    func append(_ bytes: [UInt8]) throws -> Int64 {
        try file.write(bytes, at: written)
        hash.update(bytes)
        written += Int64(bytes.count)
        return written
    }

    func finish(as destination: String, mode: UInt32) throws -> (Int64, String) {
        // Executable or not is worth keeping; who may read the run is the run directory's business.
        try check("set the mode of", path: file.path) { fchmod(file.descriptor, mode & 0o100 != 0 ? 0o700 : 0o600) }
        try file.sync()
        try FileSystem.rename(file.path, to: destination)
        return (written, hash.hexDigest())
    }
}
