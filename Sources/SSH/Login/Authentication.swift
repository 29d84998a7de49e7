import CLibSSH

/// What came of one try to log in.
enum LoginStep {
    case accepted
    /// A factor was accepted; the server wants another one.
    case partly
    case refused
}

/// Logs in, by the methods that the server allows, in ssh(1)'s order: keys, keyboard-interactive, password. A server
/// may want several of them.
///
/// The order is made here, since `ssh_userauth_publickey_auto` writes missing `.pub` files (auth.c).
final class Authentication {
    let handshake: Handshake
    let conversation: Conversation
    var report = LoginReport()
    /// What is being tried.
    private var current = "none"
    var options: SSHOptions { handshake.options }
    var raw: ssh_session { handshake.raw }

    init(handshake: Handshake, conversation: Conversation) {
        self.handshake = handshake
        self.conversation = conversation
    }

    /// A way to log in. It is tried until it is refused or worked off.
    private struct Method {
        let flag: UInt32
        let name: String
        let attempt: () throws(SSHError) -> LoginStep
    }

    func logIn() throws(SSHError) {
        let keys = PublicKeyLogin(self)
        defer { keys.close() }
        // What has let us in before is a round trip less than the question for what would.
        current = "publickey"
        if case .accepted = try keys.attemptTheUsual() { return }
        // It may be all that the server wants, and else brings the list of what it does, as every refusal does.
        current = "none"
        if ssh_userauth_list(raw, nil) == 0, case .accepted = try judge({ ssh_userauth_none(raw, nil) }) {
            return report.letIn(by: "no proof at all")
        }
        if let banner = ssh_get_issue_banner(raw) {
            conversation.announce(String(cString: banner))
            ssh_string_free_char(banner)
        }
        let methods = [
            Method(flag: SSH_AUTH_METHOD_PUBLICKEY, name: "publickey") { () throws(SSHError) in try keys.attempt() },
            Method(flag: SSH_AUTH_METHOD_INTERACTIVE, name: "keyboard-interactive") { [self] () throws(SSHError) in
                try KeyboardInteractiveLogin(self).attempt()
            },
            Method(flag: SSH_AUTH_METHOD_PASSWORD, name: "password") { [self] () throws(SSHError) in
                try PasswordLogin(self).attempt()
            },
        ]
        var refused: Set<UInt32> = []
        while let method = methods.first(where: { isAllowed($0.flag) && !refused.contains($0.flag) }) {
            current = method.name
            switch try method.attempt() {
            case .accepted:
                // A key is named by whoever has offered it.
                if method.flag != SSH_AUTH_METHOD_PUBLICKEY { report.letIn(by: method.name) }
                return
            case .refused: refused.insert(method.flag)
            case .partly:
                // The server says anew what it allows; the same method may come again, with another key or password.
                refused = []
                if report.accepted.count >= Authentication.mostFactors { throw failure() }
            }
        }
        throw failure()
    }

    /// Origin: more factors than anybody uses; a server that never has enough would hold us forever.
    private static let mostFactors = 8

    private func isAllowed(_ flag: UInt32) -> Bool { UInt32(ssh_userauth_list(raw, nil)) & flag != 0 }

    /// Who logs in where: the name under which a password is remembered.
    var account: String { options.account }

    /// Repeats a call of libssh until it has an answer, and says what it was. A refusal is none of its errors.
    func judge(_ call: () -> Int32) throws(SSHError) -> LoginStep {
        let result = try handshake.complete(again: SSH_AUTH_AGAIN.rawValue, call)
        switch result {
        case SSH_AUTH_SUCCESS.rawValue: return .accepted
        case SSH_AUTH_PARTIAL.rawValue: return .partly
        case SSH_AUTH_DENIED.rawValue: return .refused
        default: throw broken()
        }
    }

    /// The error for a login that ended before the server had decided.
    func broken() -> SSHError {
        let reason = lastError(raw)
        guard ssh_is_connected(raw) == 0 else {
            return SSHError(
                .authenticationFailed, "cannot log in to \(options.place) as \(options.user): \(reason)")
        }
        // OpenSSH ends the connection after MaxAuthTries, dropbear after as many.
        let isTooMuch = reason.contains("Too many auth")
        let hint =
            current == "publickey"
            ? "name the one key that it knows by key_file: in the profile"
            : conversation.hasAsked ? "type the command again; a server takes so many answers, and waits so long" : nil
        return SSHError(
            isTooMuch ? .authenticationFailed : .unreachable,
            "\(options.place) has ended the login of \(options.user): \(Authentication.words(of: reason)); "
                + "tried: \(report.text); last: \(current)",
            hint: hint)
    }

    /// The server's own words out of `Received SSH_MSG_DISCONNECT: 2:Too many authentication failures`.
    private static func words(of reason: String) -> Substring {
        guard let start = reason.firstRange(of: "SSH_MSG_DISCONNECT: ") else { return reason[...] }
        let rest = reason[start.upperBound...]
        return rest.drop(while: \.isNumber).drop { $0 == ":" || $0 == " " }
    }

    // MARK: The message when nothing worked

    private func failure() -> SSHError {
        let place = options.place
        let allowed = allowedMethods
        let intro =
            report.accepted.isEmpty
            ? "\(place) does not let \(options.user) in" : "\(place) wants more from \(options.user) than it was given"
        return SSHError(
            .authenticationFailed,
            "\(intro); tried: \(report.text); "
                + (allowed.isEmpty ? "it allows nothing else" : "it allows: \(allowed.joined(separator: ", "))"),
            hint: hint)
    }

    /// The methods that the server would still take, by their names in RFC 4252.
    private var allowedMethods: [String] {
        [
            ("publickey", SSH_AUTH_METHOD_PUBLICKEY), ("keyboard-interactive", SSH_AUTH_METHOD_INTERACTIVE),
            ("password", SSH_AUTH_METHOD_PASSWORD), ("hostbased", SSH_AUTH_METHOD_HOSTBASED),
            ("gssapi-with-mic", SSH_AUTH_METHOD_GSSAPI_MIC),
        ].filter { isAllowed($0.1) }.map { $0.0 }
    }

    private var hint: String? {
        if let algorithm = report.unusableAlgorithm {
            return "an old server: put `algorithms: {pubkeys: [+\(algorithm)]}` below connection: in the profile, "
                + "or use an ed25519 key"
        }
        if let key = report.lockedKey { return "ssh-add '\(key)', or type the command at a terminal" }
        if let method = report.unanswered, !isAllowed(SSH_AUTH_METHOD_PUBLICKEY) {
            return "type the command at a terminal, so that you can be asked for the \(method)"
        }
        guard isAllowed(SSH_AUTH_METHOD_PUBLICKEY) else { return nil }
        let jump = options.jumps.isEmpty ? "" : " -o ProxyJump=\(options.jumps.map(\.hop).joined(separator: ","))"
        let target = "-p \(options.port)\(jump) \(options.user)@\(options.host)"
        if let key = report.refusedKey ?? options.keyFile { return "ssh-copy-id -i \(key).pub \(target)" }
        if report.hasRefusedAgentKeys { return "ssh-copy-id \(target)" }
        return "ssh-keygen -t ed25519, then: ssh-copy-id \(target)"
    }
}

extension SSHOptions {
    /// As ssh(1)'s ProxyJump takes it.
    fileprivate var hop: String { "\(user)@\(address)" }
}
