import JSON
import SSH

/// Something that only the operator can answer: a passphrase, a password, whether a host key is the right one.
package struct Question: Sendable, Equatable {
    /// The kind of a question for the password of sudo; the other kinds are those of `SSHPrompt`.
    package static let sudo = "sudo"

    /// `host_key`, `passphrase`, `password`, `keyboard_interactive` or `sudo`.
    package let kind: String
    /// The whole question. It may hold words of a server: escape it before it reaches a terminal.
    package let text: String
    /// Whether what is typed may be seen.
    package let isEchoed: Bool

    package init(kind: String, text: String, isEchoed: Bool) {
        self.kind = kind
        self.text = text
        self.isEchoed = isEchoed
    }

    init(_ prompt: SSHPrompt) { self.init(kind: prompt.kind.rawValue, text: prompt.text, isEchoed: prompt.isEchoed) }
}

/// Asks a person and waits for the answer; nil where nobody is there or the answer is refused.
package typealias Asker = @Sendable (Question) async -> String?

/// How a command answers, on its own thread, which it may block: nil when the person refuses.
package typealias Answerer = (Question) throws -> String?

/// A question and its answer as lines of the control protocol:
/// `{"prompt":{"id":1,"kind":"password","text":"…","echo":false}}` and `{"answer":{"id":1,"text":"…"}}`, without a text
/// where the person refused.
struct PromptLine {
    let id: Int64
    let question: Question

    var json: JSON {
        [
            "prompt": [
                "id": .int(id), "kind": .string(question.kind), "text": .string(question.text),
                "echo": .bool(question.isEchoed),
            ]
        ]
    }

    init(id: Int64, _ question: Question) {
        self.id = id
        self.question = question
    }

    /// Nil for a line that is no question.
    init?(json: JSON) {
        guard let prompt = json["prompt"], let id = prompt["id"]?.int, let text = prompt["text"]?.string else {
            return nil
        }
        self.id = id
        question = Question(
            kind: prompt["kind"]?.string ?? "", text: text, isEchoed: prompt["echo"]?.bool ?? false)
    }

    func answer(_ text: String?) -> JSON { ["answer": ["id": .int(id), "text": text.map { .string($0) }]] }
}
