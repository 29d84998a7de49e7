import Synchronization

/// What travels for a job before its launch or after its end: it can be cancelled here, without asking the target.
/// Thread-safe.
final class JobTransfer: Sendable {
    private let cancelRunning = Mutex<(@Sendable () -> Void)?>(nil)

    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await body() }
        cancelRunning.withLock { $0 = { task.cancel() } }
        defer { cancelRunning.withLock { $0 = nil } }
        return try await task.value
    }

    /// - Returns: false where nothing is on its way.
    func cancel() -> Bool {
        cancelRunning.withLock {
            $0?()
            return $0 != nil
        }
    }
}
