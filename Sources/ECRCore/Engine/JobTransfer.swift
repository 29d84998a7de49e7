import LinuxSystem

/// What travels for a job before its launch or after its end: it can be cancelled here, without asking the target.
/// Thread-safe.
final class JobTransfer: Sendable {
    enum Direction: Sendable { case upload, pull }

    private struct Content {
        var cancel: (@Sendable () -> Void)?
        var phase = JobPhase.running
    }

    private let content = Locked(Content())

    func run<Value: Sendable>(
        _ direction: Direction, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        // Whoever sees a sign of it can cancel it.
        let task = content.withLock { content in
            let task = Task { try await body() }
            content.cancel = { task.cancel() }
            content.phase = direction == .upload ? .uploading : .fetching
            return task
        }
        defer {
            content.withLock {
                $0.cancel = nil
                if $0.phase == .uploading { $0.phase = .running }
            }
        }
        return try await task.value
    }

    var phase: JobPhase { content.withLock { $0.phase } }

    /// Whether the job has ended, and what it has left is on its way.
    var isPulling: Bool { isMoving && phase == .fetching }

    /// Whether something is on its way.
    var isMoving: Bool { content.withLock { $0.cancel != nil } }

    /// - Returns: false where nothing is on its way.
    func cancel() -> Bool {
        content.withLock {
            $0.cancel?()
            return $0.cancel != nil
        }
    }
}
