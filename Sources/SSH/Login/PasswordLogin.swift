import CLibSSH

/// The method `password` (RFC 4252, section 8).
struct PasswordLogin {
    private let login: Authentication

    init(_ login: Authentication) { self.login = login }

    func attempt() throws(SSHError) -> LoginStep {
        let (options, ring) = (login.options, login.options.keyRing)
        if let known = ring.password(of: login.account) {
            let step = try offer(known)
            if step != .refused { return step }
            ring.keep(password: nil, of: login.account)
            login.report.add("the password that was known", "refused")
        }
        for number in 0..<PasswordLogin.questions {
            let again = number == 0 ? "" : "wrong password, try again\n"
            let question = "\(again)password of \(options.user)@\(options.address)"
            let host = options.isJumpHost ? " (jump host): " : ": "
            guard let password = login.conversation.ask(.password, question + host) else {
                login.report.unanswered("password", login.conversation.reason)
                return .refused
            }
            let step = try offer(password)
            if step != .refused {
                ring.keep(password: password, of: login.account)
                return step
            }
        }
        login.report.add("password", "refused \(PasswordLogin.questions) times")
        return .refused
    }

    private func offer(_ password: String) throws(SSHError) -> LoginStep {
        let step = try login.judge { ssh_userauth_password(login.raw, nil, password) }
        if step == .partly { login.report.accepted("password") }
        return step
    }

    /// Origin: NumberOfPasswordPrompts in ssh_config(5).
    static let questions = 3
}
