import Synchronization

/// What travels for a job before its launch or after its end: it can be cancelled here, without asking the target.
/// Thread-safe.
final class JobTransfer: Sendable {
    enum Direction: Sendable { case upload, pull }

    private struct Running {
        let direction: Direction
        let cancel: @Sendable () -> Void
    }

    private let running = Mutex<Running?>(nil)

    func run<Value: Sendable>(
        _ direction: Direction, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = Task { try await body() }
        running.withLock { $0 = Running(direction: direction) { task.cancel() } }
        defer { running.withLock { $0 = nil } }
        return try await task.value
    }

    /// Whether the job has ended, and what it has left is on its way.
    var isPulling: Bool { running.withLock { $0?.direction == .pull } }

    /// - Returns: false where nothing is on its way.
    func cancel() -> Bool {
        running.withLock {
            $0?.cancel()
            return $0 != nil
        }
    }
}
