import LinuxSystem
import Synchronization

/// Ends what waits for a target that sends nothing any more although its link stands: a read can hang in its kernel for
/// ever, as one of `/proc/kmsg`, or of a file on a server that is gone. Thread-safe.
package final class Patience: Sendable {
    /// Seconds. Origin: a disk that spins up, or a busy board's queue, takes less.
    package static let ofContent = 60

    private let seconds: Int
    private let last = Mutex(Clock.boottimeNanoseconds())

    /// - Parameter seconds: without a sign of life.
    package init(seconds: Int) { self.seconds = seconds }

    /// Something has come.
    func renew() { last.withLock { $0 = Clock.boottimeNanoseconds() } }

    /// Runs what waits; it is cancelled when nothing has come for too long.
    /// - Throws: `TransferFailure` then; and what the body throws.
    package func whileWaiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        renew()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
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

    private func watch() async throws {
        while true {
            let silence = (Clock.boottimeNanoseconds() - last.withLock { $0 }) / 1_000_000_000
            if silence >= seconds {
                throw TransferFailure("the target has sent nothing of it for \(seconds) s", isStall: true)
            }
            try await Task.sleep(for: .seconds(max(1, Int64(seconds) - silence)))
        }
    }
}
