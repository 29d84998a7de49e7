import JSON
import LinuxSystem

/// What the operator is told of the link to the target while a command waits.
package enum LinkNews: Sendable, Equatable {
    /// - Parameters:
    ///   - since: when the loss was noticed, UTC.
    ///   - retryIn: seconds until the next attempt; nil while one is under way.
    case lost(since: String, retryIn: Double?)
    /// Nothing is tried until a person has answered a question.
    case needsInput(since: String, question: String)
    /// The link stands again.
    case restored(since: String, seconds: Double)

    /// A line of the control protocol.
    var json: JSON {
        switch self {
        case .lost(let since, let retryIn):
            ["link": ["state": "lost", "since": .string(since), "retry_in_s": retryIn.map { .double($0) }]]
        case .needsInput(let since, let question):
            ["link": ["state": "needs_input", "since": .string(since), "question": .string(question)]]
        case .restored(let since, let seconds):
            ["link": ["state": "restored", "since": .string(since), "gap_s": .double(seconds)]]
        }
    }

    init?(json: JSON) {
        guard let link = json["link"], let since = link["since"]?.string else { return nil }
        switch link["state"]?.string {
        case "lost": self = .lost(since: since, retryIn: link["retry_in_s"]?.double)
        case "needs_input": self = .needsInput(since: since, question: link["question"]?.string ?? "")
        case "restored": self = .restored(since: since, seconds: link["gap_s"]?.double ?? 0)
        default: return nil
        }
    }
}

/// Tells the clients that wait how the link stands. Thread-safe.
final class LinkFeed: Sendable {
    private struct Content {
        var last: LinkNews?
        var lastNumber = 0
        var listeners: [Int: @Sendable (LinkNews) -> Void] = [:]
    }

    private let content = Locked(Content())

    func tell(_ news: LinkNews) {
        let listeners = content.withLock { content in
            if case .restored = news { content.last = nil } else { content.last = news }
            return Array(content.listeners.values)
        }
        listeners.forEach { $0(news) }
    }

    /// Adds a listener, which hears of a loss that goes on at once; the number takes it off again.
    func add(_ listener: @escaping @Sendable (LinkNews) -> Void) -> Int {
        let (number, last) = content.withLock { content in
            content.lastNumber += 1
            content.listeners[content.lastNumber] = listener
            return (content.lastNumber, content.last)
        }
        if let last { listener(last) }
        return number
    }

    func remove(_ number: Int) { content.withLock { $0.listeners[number] = nil } }
}
