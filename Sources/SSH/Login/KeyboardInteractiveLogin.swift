import CLibSSH

/// The method `keyboard-interactive` (RFC 4256): the server asks what it likes, as often as it likes.
struct KeyboardInteractiveLogin {
    private let login: Authentication

    init(_ login: Authentication) { self.login = login }

    private static let name = "keyboard-interactive"

    func attempt() throws(SSHError) -> LoginStep {
        let ring = login.options.keyRing
        for _ in 0..<PasswordLogin.questions {
            let known = ring.password(of: login.account)
            guard login.conversation.isOpen || known != nil else {
                login.report.unanswered(Self.name, login.conversation.reason)
                return .refused
            }
            var round = Round(known: known)
            let step = try answer(&round)
            if step != .refused {
                if step == .partly { login.report.accepted(Self.name) }
                if let password = round.password { ring.keep(password: password, of: login.account) }
                return step
            }
            if round.usedKnown { ring.keep(password: nil, of: login.account) }
            if round.isUnanswered {
                login.report.unanswered(Self.name, login.conversation.reason)
                return .refused
            }
            if round.questions == 0 { break }
        }
        login.report.add(Self.name, "refused")
        return .refused
    }

    /// One dialogue from its start to the server's verdict.
    private struct Round {
        /// A password that worked before.
        let known: String?
        var questions = 0
        var usedKnown = false
        var isUnanswered = false
        /// The answer, if there was one question only and it asked for a password: worth remembering. Codes are not,
        /// they hold once.
        var password: String?
    }

    private func answer(_ round: inout Round) throws(SSHError) -> LoginStep {
        while true {
            let result = try login.handshake.complete(again: SSH_AUTH_AGAIN.rawValue) {
                ssh_userauth_kbdint(login.raw, nil, nil)
            }
            guard result == SSH_AUTH_INFO.rawValue else { return try login.judge { result } }
            announce()
            let count = max(0, ssh_userauth_kbdint_getnprompts(login.raw))
            for index in 0..<UInt32(count) {
                guard let text = answer(index, of: count, &round) else {
                    round.isUnanswered = true
                    return .refused
                }
                ssh_userauth_kbdint_setanswer(login.raw, index, text)
            }
        }
    }

    private func announce() {
        for text in [ssh_userauth_kbdint_getname(login.raw), ssh_userauth_kbdint_getinstruction(login.raw)] {
            if let text { login.conversation.announce(String(cString: text)) }
        }
    }

    private func answer(_ index: UInt32, of count: Int32, _ round: inout Round) -> String? {
        var echo: CChar = 0
        let prompt = ssh_userauth_kbdint_getprompt(login.raw, index, &echo).map { String(cString: $0) } ?? ""
        let isPassword = count == 1 && round.questions == 0 && echo == 0 && prompt.lowercased().contains("password")
        round.questions += 1
        if !isPassword { round.password = nil }
        if isPassword, let known = round.known {
            round.usedKnown = true
            round.password = known
            return known
        }
        let host = login.options.isJumpHost ? ", jump host" : ""
        let answer = login.conversation.ask(
            .keyboardInteractive, "(\(login.options.user)@\(login.options.address)\(host)) \(prompt)",
            isEchoed: echo != 0)
        if isPassword { round.password = answer }
        return answer
    }
}
