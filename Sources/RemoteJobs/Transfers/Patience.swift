import LinuxSystem

/// Ends what waits for a target that sends nothing any more although its link stands: a read can hang in its kernel for
/// ever, as one of `/proc/kmsg`, or of a file on a server that is gone. Thread-safe.
package final class Patience: Sendable {
    /// Seconds. Origin: a disk that spins up, or a busy board's queue, takes less.
    package static let usual = 60
    /// Seconds. Origin: whoever cancels bears so much, and a target that is well needs less for what it has begun.
    private static let grace = 5

    private struct State {
        var lastSign = Clock.boottimeNanoseconds()
        /// Pieces that are worked on here, which is no silence of the target's.
        var atWork = 0
    }

    /// That of the transfer which the present task belongs to: its turn on a channel is no silence of the target's.
    @TaskLocal static var current: Patience?

    private let seconds: Int
    private let state = Locked(State())

    /// - Parameters:
    ///   - bytes: which the target reads or syncs before it says anything. Origin: a board that does 1 MB/s.
    ///   - shortest: seconds.
    package init(bytes: UInt64 = 0, shortest: Int = usual) { seconds = shortest + Int(clamping: bytes >> 20) }

    /// Something has come.
    package func renew() { state.withLock { $0.lastSign = Clock.boottimeNanoseconds() } }

    /// Something has come, and is worked on.
    func whileWorking<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        state.withLock { $0.atWork += 1 }
        defer {
            state.withLock {
                $0.atWork -= 1
                $0.lastSign = Clock.boottimeNanoseconds()
            }
        }
        return try await body()
    }

    /// Runs what waits; it is cancelled when nothing has come for too long.
    /// - Throws: `TransferFailure` then; and what the body throws.
    package func whileWaiting<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        renew()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { [self] in try await Self.$current.withValue(self) { try await body() } }
            group.addTask { [self] in
                try await watch()
                return nil
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    /// Runs what cannot be called back once the target has begun it: it goes on although its task is cancelled, but is not
    /// waited for much longer then.
    /// - Throws: `TransferFailure` when nothing has come for too long; `CancellationError` where it was cancelled and has
    ///   not ended since; and what the body throws.
    package func toItsEnd<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let running = Task { try await whileWaiting(body) }
        do {
            return try await withTaskCancellationHandler {
                try await running.value
            } onCancel: {
                Task {
                    try? await Task.sleep(for: .seconds(Self.grace))
                    running.cancel()
                }
            }
        } catch {
            if running.isCancelled { throw CancellationError() }
            throw error
        }
    }

    private func watch() async throws {
        while true {
            let began = Clock.boottimeNanoseconds()
            try await Task.sleep(for: .seconds(1))
            let now = Clock.boottimeNanoseconds()
            // A machine that was asleep has heard nobody.
            if now - began > 5_000_000_000 { renew() }
            let silence = state.withLock { $0.atWork > 0 ? 0 : (now - $0.lastSign) / 1_000_000_000 }
            if silence >= seconds {
                throw TransferFailure("the target has sent nothing of it for \(silence) s", isStall: true)
            }
        }
    }
}
