import Profiles
import RemoteJobs
import SSH

/// How a run's jobs become root on its target. A password that sudo has accepted is kept in memory for the run, and is
/// nowhere else.
actor SudoAccess {
    /// The reason of a job's end that sudo did not let begin.
    static let reason = "sudo"

    /// `user@host`, as in questions.
    private let account: String
    /// From the profile's `sudo_password:`.
    private let given: (value: String, variable: String)?
    private let prompts: PromptRelay
    private var password: String?
    /// Two jobs must not ask side by side.
    private var current: Task<RootAccess?, any Error>?

    init(account: String, given: (value: String, variable: String)?, prompts: PromptRelay) {
        self.account = account
        self.given = given
        self.prompts = prompts
    }

    /// Finds out how to become root, and asks for a password where that is needed.
    /// - Parameters:
    ///   - purpose: what needs it, such as `action prepare`.
    ///   - spool: the run's spool directory.
    ///   - tell: told what the operator should know.
    /// - Returns: nil where the login user is root.
    /// - Throws: `.refused` where nothing can become root, `SSHError`.
    func access(
        on target: Target, spool: String, for purpose: String, tell: @escaping @Sendable (String) -> Void
    ) async throws -> RootAccess? {
        while let current { _ = await current.result }
        let task = Task { try await find(on: target, spool, purpose, tell) }
        current = task
        defer { current = nil }
        return try await task.value
    }

    /// Sudo has refused what it had accepted before.
    func forget() { password = nil }

    private func find(
        on target: Target, _ spool: String, _ purpose: String, _ tell: @Sendable (String) -> Void
    ) async throws -> RootAccess? {
        if target.isRoot { return nil }
        if let password { return RootAccess(password: password) }
        switch try await target.askSudo() {
        case .granted: return RootAccess(password: nil)
        case .refused(let reason, let hint): throw refused(purpose, reason, hint)
        case .passwordNeeded, .wrongPassword: break
        }
        let password = try await acceptedPassword(on: target, spool, purpose, tell)
        self.password = password
        return RootAccess(password: password)
    }

    private func acceptedPassword(
        on target: Target, _ spool: String, _ purpose: String, _ tell: @Sendable (String) -> Void
    ) async throws -> String {
        if let given {
            if try await isAccepted(given.value, target, spool, purpose) { return given.value }
            throw refused(purpose, "sudo refused the password in $\(given.variable)", nil)
        }
        for attempt in 0..<Self.questions {
            let again = attempt == 0 ? "" : "sudo refused the password, try again\n"
            let question = Question(
                kind: Question.sudo, text: "\(again)\(purpose) runs under sudo: password of \(account):",
                isEchoed: false)
            guard let answer = await prompts.ask(question) else {
                throw refused(
                    purpose, "sudo asks for the password of \(account), and no answer came",
                    "type the command at a terminal, or write `sudo_password: {secret: env:NAME}` below `connection:`")
            }
            if try await isAccepted(answer, target, spool, purpose) {
                if answer.utf8.count < SecretMask.shortest {
                    tell(
                        "the password has less than \(SecretMask.shortest) characters, so it is not masked in the record"
                    )
                }
                return answer
            }
        }
        throw refused(purpose, "sudo refused the password \(Self.questions) times", nil)
    }

    /// Origin: as often as sudo itself (passwd_tries in sudoers(5)).
    private static let questions = 3

    private func isAccepted(_ password: String, _ target: Target, _ spool: String, _ purpose: String) async throws
        -> Bool
    {
        switch try await target.trySudo(password: password, spool: spool) {
        case .granted: return true
        case .wrongPassword, .passwordNeeded: return false
        case .refused(let reason, let hint): throw refused(purpose, reason, hint)
        }
    }

    private func refused(_ purpose: String, _ reason: String, _ hint: String?) -> ECRFailure {
        ECRFailure(.refused, "\(purpose) was not started: \(reason)", hint: hint)
    }
}

extension RunEngine {
    /// How a job of this run becomes root; waits for the link where that is needed.
    /// - Throws: `.refused`, with nothing begun.
    func rootAccess(for purpose: String, tell: @escaping @Sendable (String) -> Void = { _ in }) async throws
        -> RootAccess?
    {
        while true {
            let target = try await link.target()
            do { return try await sudo.access(on: target, spool: spool, for: purpose, tell: tell) } catch is SSHError {
                // The connection may be half dead: ending it makes the link begin anew.
                await target.close()
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Finds out, before anything begins, whether actions that the profile asks for could become root.
    func requireRoot(for names: [String]) async throws {
        if let name = names.first(where: { profile.action(named: $0)?.sudo == true }) {
            _ = try await rootAccess(for: "action \(name)")
        }
    }
}
