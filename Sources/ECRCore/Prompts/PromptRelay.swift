import LinuxSystem
import SSH

/// Passes the supervisor's questions to whoever sits at a terminal: the client that came last. Thread-safe.
final class PromptRelay: Sendable {
    private struct Content {
        var lastNumber = 0
        var askers: [(number: Int, ask: Asker)] = []
        var unanswered: Question?
    }

    private let content = Locked(Content())
    private let secrets: KnownSecrets

    /// - Parameter secrets: learns what is typed unseen.
    init(secrets: KnownSecrets) { self.secrets = secrets }

    /// Adds somebody who can be asked; the number takes it off again.
    func add(_ ask: @escaping Asker) -> Int {
        content.withLock { content in
            content.lastNumber += 1
            content.askers.append((content.lastNumber, ask))
            return content.lastNumber
        }
    }

    func remove(_ number: Int) { content.withLock { $0.askers.removeAll { $0.number == number } } }

    /// Asks the client that came last.
    func ask(_ question: Question) async -> String? {
        let asker = content.withLock { $0.askers.last?.ask }
        let answer = await asker?(question)
        if let answer, !question.isEchoed { secrets.add(answer) }
        content.withLock { $0.unanswered = answer == nil ? question : nil }
        return answer
    }

    /// The last question, if nobody has answered it.
    var unanswered: Question? { content.withLock { $0.unanswered } }

    /// What was asked matters no longer: the connection stands.
    func settle() { content.withLock { $0.unanswered = nil } }

    /// The way for the threads that make connections, which may block.
    var ask: SSHAsk {
        { [self] prompt in
            let reply = Mailbox<String?>()
            Task { reply.send(await ask(Question(prompt))) }
            return reply.takeAll()?.first ?? nil
        }
    }
}
