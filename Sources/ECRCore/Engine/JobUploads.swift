import Synchronization

/// The uploads of a job that was not launched yet: they can be cancelled here, without asking the target. Thread-safe.
final class JobUploads: Sendable {
    private let running = Mutex<Task<UploadStep.Result, any Error>?>(nil)

    func run(_ body: @escaping @Sendable () async throws -> UploadStep.Result) async throws -> UploadStep.Result {
        let task = Task { try await body() }
        running.withLock { $0 = task }
        defer { running.withLock { $0 = nil } }
        return try await task.value
    }

    /// - Returns: false where nothing is on its way.
    func cancel() -> Bool {
        running.withLock {
            $0?.cancel()
            return $0 != nil
        }
    }
}
