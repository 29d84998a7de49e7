import LinuxSystem
import SSH

/// Bytes that are made on a worker, one piece ahead of the one that is on its way.
@SSHActor final class ReadAhead {
    private let worker: Worker
    private let read: @Sendable () throws -> [UInt8]
    private var ahead: Task<[UInt8], any Error>?

    /// - Parameter read: gives the next bytes, none at the end; called on the worker.
    init(_ worker: Worker, read: @escaping @Sendable () throws -> [UInt8]) {
        self.worker = worker
        self.read = read
    }

    /// nil at the end.
    /// - Throws: what `read` does, `CancellationError`.
    func next() async throws -> [UInt8]? {
        try Task.checkCancellation()
        let bytes = try await (ahead ?? begin()).value
        ahead = bytes.isEmpty ? nil : begin()
        return bytes.isEmpty ? nil : bytes
    }

    private func begin() -> Task<[UInt8], any Error> {
        let (worker, read) = (worker, read)
        return Task { try await worker.run(read) }
    }
}

/// The bytes of a local file.
@SSHActor final class LocalStream {
    private let reader: LocalReader
    private let worker: Worker
    private let bytes: ReadAhead

    init(_ file: LocalFile, _ worker: Worker) async throws {
        let reader = try await worker.run { try LocalReader(file) }
        self.reader = reader
        self.worker = worker
        bytes = ReadAhead(worker) { try reader.next() }
    }

    /// nil at the end.
    /// - Throws: `TransferFailure` where the file changes meanwhile, `CancellationError`.
    func next() async throws -> [UInt8]? { try await bytes.next() }

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
