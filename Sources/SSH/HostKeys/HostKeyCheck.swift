import CLibSSH
import LinuxSystem

/// Decides whether the server is the one that the user means, before anything is sent to it. A key that is not known is
/// asked about; one that is changed or revoked never is.
struct HostKeyCheck {
    let options: SSHOptions
    let raw: ssh_session
    let conversation: Conversation

    /// The server's key, whether it is trusted or not.
    static func shownKey(_ raw: ssh_session, _ place: String) throws(SSHError) -> HostKey {
        var pointer: ssh_key?
        guard ssh_get_server_publickey(raw, &pointer) == SSH_OK, let pointer else {
            throw SSHError(.protocolViolation, "\(place) has shown no host key")
        }
        defer { ssh_key_free(pointer) }
        return HostKey(pointer)
    }

    /// The server's key, if it is trusted.
    func trustedKey() throws(SSHError) -> HostKey {
        let key = try HostKeyCheck.shownKey(raw, options.place)
        if let pin = options.pinnedHostKey {
            try compare(key, withPin: pin)
        } else {
            try consultKnownHosts(key)
        }
        return key
    }

    private func compare(_ key: HostKey, withPin pin: String) throws(SSHError) {
        guard key.fingerprint != pin else { return }
        throw SSHError(
            .hostKeyChanged,
            "the host key of \(options.place) is not the pinned one: it shows \(key.type) \(key.fingerprint), "
                + "pinned is \(pin)",
            hint: "find out why before you connect; if the target was reinstalled, correct host_key: in the profile")
    }

    private func consultKnownHosts(_ key: HostKey) throws(SSHError) {
        let known = KnownHosts(options)
        switch known.standing(of: key) {
        case .known: return
        case .revoked(let entry):
            throw SSHError(
                .hostKeyRevoked,
                "the host key of \(options.place), \(key.type) \(key.fingerprint), is revoked by \(entry.place)")
        case .changed(let entries): throw changed(key, entries, known.name)
        case .unknown: try ask(about: key, known)
        }
    }

    private func changed(_ key: HostKey, _ entries: [KnownHosts.Entry], _ name: String) -> SSHError {
        let known = entries.map { "\($0.place), says \($0.key.type) \($0.key.fingerprint)" }
        return SSHError(
            .hostKeyChanged,
            "the host key of \(options.place) has changed: it shows \(key.type) \(key.fingerprint); "
                + known.joined(separator: "; "),
            hint: "somebody may stand in between. If the target was reinstalled: "
                + "ssh-keygen -f '\(entries[0].file)' -R '\(name)'")
    }

    // MARK: An unknown key

    private func ask(about key: HostKey, _ known: KnownHosts) throws(SSHError) {
        if options.keyRing.trusts(key, as: known.name) { return }
        var question = """
            the host key of \(options.place) is not known. It shows
            \(key.type) \(key.fingerprint)
            Compare it with the target's own (there: ssh-keygen -lf /etc/ssh/ssh_host_\(shortType(key))_key.pub).
            Is it the same, to be written to \(known.file)? (yes, no, or the fingerprint):\u{20}
            """
        for _ in 0..<HostKeyCheck.questions {
            guard let answer = conversation.ask(.hostKey, question, isEchoed: true) else { throw unknown(key) }
            switch HostKeyCheck.judge(answer, about: key) {
            case .yes: return try trust(key, known)
            case .no: throw unknown(key)
            case .otherKey: throw otherKey(key)
            case .unclear: question = "please type yes, no, or the fingerprint: "
            }
        }
        throw unknown(key)
    }

    /// Origin: as often as a password is asked for.
    private static let questions = 3

    enum Answer { case yes, no, otherKey, unclear }

    /// What a person means by an answer; a pasted fingerprint is compared for them.
    static func judge(_ answer: String, about key: HostKey) -> Answer {
        let words = answer.split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let word = words.first else { return words.isEmpty ? .no : .unclear }
        if word == key.fingerprint { return .yes }
        if word.hasPrefix("SHA256:") { return .otherKey }
        switch word.lowercased() {
        case "yes": return .yes
        case "no", "n": return .no
        default: return .unclear
        }
    }

    private func trust(_ key: HostKey, _ known: KnownHosts) throws(SSHError) {
        do { try known.add(key) } catch {
            throw SSHError(
                .hostKeyUnknown,
                "the host key of \(options.place) cannot be remembered: \(error.description)",
                hint: "name another file by known_hosts: in the profile\(pinning(key))")
        }
        options.keyRing.trust(key, as: known.name)
    }

    /// `ed25519`, the middle of the key file's name.
    private func shortType(_ key: HostKey) -> String {
        key.type.hasPrefix("ecdsa") ? "ecdsa" : key.type.hasSuffix("ed25519") ? "ed25519" : "rsa"
    }

    /// The other way out; a profile pins the target's key only.
    private func pinning(_ key: HostKey) -> String {
        options.isJumpHost ? "" : "\nor put host_key: \"\(key.fingerprint)\" into the profile"
    }

    private func otherKey(_ key: HostKey) -> SSHError {
        SSHError(
            .hostKeyUnknown,
            "the fingerprint that was typed is not that of \(options.place), which shows \(key.type) \(key.fingerprint)",
            hint: "is it of another type of key, or of another machine?")
    }

    private func unknown(_ key: HostKey) -> SSHError {
        SSHError(
            .hostKeyUnknown,
            "the host key of \(options.place) is not known: it shows \(key.type) \(key.fingerprint)",
            hint: "compare the fingerprint on the machine itself, then: "
                + "ecr target trust \(options.reference) \(key.fingerprint)\(pinning(key))")
    }
}
