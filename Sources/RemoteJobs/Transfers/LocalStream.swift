import LinuxSystem
import SSH

/// The bytes of a local file, read ahead by one piece on a worker while the one before is on its way.
@SSHActor final class LocalStream {
    private let reader: LocalReader
    private let worker: Worker
    private var ahead: Task<[UInt8], any Error>?

    init(_ file: LocalFile, _ worker: Worker) async throws {
        reader = try await worker.run { try LocalReader(file) }
        self.worker = worker
    }

    /// nil at the end.
    /// - Throws: `TransferFailure` where the file changes meanwhile, `CancellationError`.
    func next() async throws -> [UInt8]? {
        try Task.checkCancellation()
        let bytes = try await (ahead ?? begin()).value
        ahead = bytes.isEmpty ? nil : begin()
        return bytes.isEmpty ? nil : bytes
    }

    private func begin() -> Task<[UInt8], any Error> {
        let (reader, worker) = (reader, worker)
        return Task { try await worker.run { try reader.next() } }
    }

    /// Leaves out the first bytes.
    /// - Parameter hash: theirs; if it is another one, nothing is left out.
    /// - Returns: whether they were left out.
    func skip(_ count: Int64, hash: String) async throws -> Bool {
        let reader = reader
        return try await worker.run {
            if try reader.skip(count) == hash { return true }
            reader.rewind()
            return false
        }
    }

    /// The SHA-256 of the file.
    func finish() async throws -> String {
        let reader = reader
        return try await worker.run { try reader.finish() }
    }
}
