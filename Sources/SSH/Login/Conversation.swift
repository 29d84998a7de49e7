/// Asks the person behind a connection, if there is one. The time that answers take is no part of the deadline.
///
/// Belongs to the worker thread that makes the connection, which an answer may block.
final class Conversation {
    private let person: SSHAsk?
    private let deadline: Deadline
    /// Whether somebody was waited for.
    private(set) var hasAsked = false
    /// A question was left unanswered; nothing more is asked.
    private(set) var isRefused = false
    /// Words of the server that belong before the next question.
    private var preface = ""

    init(_ person: SSHAsk?, _ deadline: Deadline) {
        self.person = person
        self.deadline = deadline
    }

    /// Whether an answer can still come.
    var isOpen: Bool { person != nil && !isRefused }

    /// Why there is no answer.
    var reason: String { person == nil ? "nobody can be asked" : "no answer came" }

    /// Shows a text of the server with the next question; there may be none.
    func announce(_ text: String) {
        let text = text.split(whereSeparator: \.isNewline).joined(separator: "\n")
        if !text.isEmpty { preface += text + "\n" }
    }

    /// Waits for an answer, nil for none. After the first none there are no more questions.
    func ask(_ kind: SSHPrompt.Kind, _ text: String, isEchoed: Bool = false) -> String? {
        guard let person, !isRefused else { return nil }
        let prompt = SSHPrompt(kind, preface + text, isEchoed: isEchoed)
        preface = ""
        hasAsked = true
        let answer = deadline.paused { person(prompt) }
        isRefused = answer == nil
        return answer
    }
}
