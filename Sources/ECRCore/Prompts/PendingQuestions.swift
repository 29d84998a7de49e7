import JSON
import LinuxSystem

/// The questions that one client has been asked and has not answered yet. Thread-safe.
final class PendingQuestions: Sendable {
    private struct Content {
        var lastID: Int64 = 0
        var isOver = false
        var waiting: [Int64: CheckedContinuation<String?, Never>] = [:]
    }

    private let content = Locked(Content())

    /// Asks and waits for the answer; nil at once when the client is gone.
    func ask(_ question: Question, send: @Sendable (JSON) -> Void) async -> String? {
        await withCheckedContinuation { continuation in
            let id: Int64? = content.withLock { content in
                guard !content.isOver else { return nil }
                content.lastID += 1
                content.waiting[content.lastID] = continuation
                return content.lastID
            }
            guard let id else { return continuation.resume(returning: nil) }
            send(PromptLine(id: id, question).json)
        }
    }

    /// Takes a line of the client; one that is no answer is none of our business.
    func take(_ line: JSON) {
        guard let answer = line["answer"], let id = answer["id"]?.int else { return }
        let waiting = content.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?.resume(returning: answer["text"]?.string)
    }

    /// The client is gone: whoever waits for it gets nil.
    func end() {
        let waiting = content.withLock { content in
            content.isOver = true
            defer { content.waiting = [:] }
            return Array(content.waiting.values)
        }
        waiting.forEach { $0.resume(returning: nil) }
    }
}
