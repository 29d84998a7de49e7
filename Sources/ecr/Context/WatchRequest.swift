import ECRCore
import LinuxSystem

/// What a key of `ecr run watch` asks for, done by a thread of its own: one that waits must not stop the keys.
final class WatchRequest: Sendable {
    private let result = Locked<String?>(nil)

    /// - Parameter body: returns what is said of it afterwards.
    init(_ body: @escaping @Sendable () throws -> String) {
        startThread {
            let text: String
            do { text = try body() } catch {
                let failure = ECRFailure(error)
                text = "\(failure.message)\(failure.hint.map { "; try: \($0)" } ?? "")"
            }
            self.result.withLock { $0 = text }
        }
    }

    /// What has become of it; nil as long as it is under way.
    var text: String? { result.withLock { $0 } }
}
