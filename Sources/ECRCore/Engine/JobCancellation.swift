import LinuxSystem

/// Why a job is cancelled, where that was no operator's wish. Thread-safe.
final class JobCancellation: Sendable {
    private let text = Locked<String?>(nil)

    /// The first reason counts.
    func set(_ reason: String) { text.withLock { $0 = $0 ?? reason } }

    var reason: String { text.withLock { $0 } ?? "cancelled" }
}
