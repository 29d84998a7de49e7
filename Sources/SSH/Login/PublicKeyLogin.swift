import CLibSSH
import LinuxSystem

/// The method `publickey` (RFC 4252, section 7): the agent's keys, key files, certificates for both, one after the
/// other. It goes on behind the last one when the server wants a second key.
final class PublicKeyLogin {
    private unowned let login: Authentication
    private var agent: AgentBridge?
    private var candidates: [Candidate]?
    /// Keys, in their wire format, that the server does not take.
    private var refused: [[UInt8]] = []

    private enum Candidate {
        /// The agent signs; the certificate, if any, is shown instead of its key.
        case agent(AgentIdentity, Certificate?)
        case file(FileKey, Certificate?)

        /// What the server sees of it; nil where that is not known before the key is unlocked.
        var shown: [UInt8]? {
            switch self {
            case .agent(let identity, let certificate): certificate?.blob ?? identity.blob
            case .file(let key, let certificate): certificate?.blob ?? key.publicBlob
            }
        }
    }

    init(_ login: Authentication) { self.login = login }

    /// Ends the talk with the agent.
    func close() { agent?.close() }

    func attempt() throws(SSHError) -> LoginStep {
        if candidates == nil { candidates = try gather() }
        while let next = candidates?.first {
            candidates?.removeFirst()
            let step = try offer(next)
            if step != .refused { return step }
        }
        return .refused
    }

    /// Offers the key alone that was enough the last time, if it is still here: a refusal counts against the others.
    func attemptTheUsual() throws(SSHError) -> LoginStep {
        guard let blob = login.options.keyRing.sufficientKey(of: login.account) else { return .refused }
        let found = try gather()
        candidates = found
        guard let place = found.firstIndex(where: { $0.shown == blob }) else { return .refused }
        candidates?.remove(at: place)
        let step = try offer(found[place])
        if step != .accepted { login.options.keyRing.forgetSufficientKey(of: login.account) }
        return step
    }

    // MARK: What there is

    private func gather() throws(SSHError) -> [Candidate] {
        let options = login.options
        let files = keyFiles()
        let identities = try agentIdentities()
        let certificates = options.certificateFiles.compactMap { path in
            let certificate = Certificate(path: path)
            if certificate == nil { login.report.add("certificate \(path)", "cannot be read") }
            return certificate
        }
        var found: [Candidate] = []
        for certificate in certificates {
            if let identity = identities.first(where: { $0.keyBlob == certificate.keyBlob }) {
                found.append(.agent(identity, certificate))
            } else if let file = files.first(where: { $0.publicBlob == certificate.keyBlob }) {
                found.append(.file(file, certificate))
            } else {
                login.report.add("certificate \(certificate.path)", "its key is neither in the agent nor in a key file")
            }
        }
        let isNamed = { (identity: AgentIdentity) in files.first { $0.publicBlob == identity.keyBlob } }
        for identity in identities {
            guard let file = isNamed(identity) else { continue }
            if certificates.isEmpty, let certificate = file.certificate { found.append(.agent(identity, certificate)) }
            found.append(.agent(identity, nil))
        }
        if options.keyFile == nil, !options.usesIdentitiesOnly {
            found += identities.filter { isNamed($0) == nil }.map { .agent($0, nil) }
        }
        for file in files {
            if certificates.isEmpty, let certificate = file.certificate { found.append(.file(file, certificate)) }
            found.append(.file(file, nil))
        }
        return found
    }

    private func keyFiles() -> [FileKey] {
        let options = login.options
        if let path = options.keyFile { return [FileKey(path: path)] }
        if let paths = options.identityFiles { return paths.map { FileKey(path: $0) } }
        let paths = FileKey.usualFiles.filter { FileSystem.exists($0) }
        if paths.isEmpty { login.report.add("no key in ~/.ssh (id_ed25519, id_ecdsa, id_rsa)") }
        return paths.map { FileKey(path: $0) }
    }

    private func agentIdentities() throws(SSHError) -> [AgentIdentity] {
        guard let socket = login.options.agentSocket ?? Host.environment("SSH_AUTH_SOCK") else {
            if login.options.keyFile == nil { login.report.add("no ssh-agent (SSH_AUTH_SOCK is not set)") }
            return []
        }
        if socket.isEmpty { return [] }
        do throws(SSHError) {
            let client = try AgentClient(path: socket, deadline: login.handshake.deadline)
            let identities = try client.identities()
            guard !identities.isEmpty else {
                login.report.add("the ssh-agent at \(socket)", "it has no keys")
                return []
            }
            let bridge = try AgentBridge(client)
            ssh_set_agent_socket(login.raw, bridge.libsshEnd)
            agent = bridge
            return identities
        } catch {
            login.report.add("the ssh-agent at \(socket)", error.message)
            return []
        }
    }

    // MARK: Offering

    private func offer(_ candidate: Candidate) throws(SSHError) -> LoginStep {
        switch candidate {
        case .agent(let identity, let certificate): try offer(identity, certificate)
        case .file(let key, let certificate): try offer(key, certificate)
        }
    }

    private func offer(_ identity: AgentIdentity, _ certificate: Certificate?) throws(SSHError) -> LoginStep {
        let shown = certificate?.blob ?? identity.blob
        guard let agent, !refused.contains(shown) else { return .refused }
        let name = certificate.map { "certificate \($0.path) with the agent's key" } ?? "agent's key \(identity.name)"
        agent.present(shown, signedBy: identity)
        let result = try login.handshake.complete(again: SSH_AUTH_AGAIN.rawValue) { ssh_userauth_agent(login.raw, nil) }
        if result == SSH_AUTH_ERROR.rawValue, ssh_is_connected(login.raw) != 0, agent.hasRefusedToSign {
            login.report.add(name, "the agent refused to sign")
            return .refused
        }
        let step = try login.judge { result }
        conclude(step, shown, name, in: nil, certificate)
        return step
    }

    private func offer(_ file: FileKey, _ certificate: Certificate?) throws(SSHError) -> LoginStep {
        let shown = certificate?.blob ?? file.publicBlob
        if let shown, refused.contains(shown) { return .refused }
        let key: PrivateKey
        do throws(SSHError) {
            guard let unlocked = try privateKey(file, certificate) else { return .refused }
            key = unlocked
        } catch {
            // Who names one key is told at once why it cannot be used; nothing of the others is meant.
            if error.code != .keyUnusable || login.options.keyFile != nil { throw error }
            login.report.add(error.message)
            return .refused
        }
        guard let certificate else { return try send(key, shown, "key \(file.path)", file, nil) }
        guard let certified = key.certified(by: certificate) else {
            login.report.add("certificate \(certificate.path)", "it is not for the key \(file.path)")
            return .refused
        }
        return try send(certified, shown, "certificate \(certificate.path)", file, certificate)
    }

    private func send(
        _ key: PrivateKey, _ shown: [UInt8]?, _ name: String, _ file: FileKey, _ certificate: Certificate?
    ) throws(SSHError) -> LoginStep {
        let step = try login.judge { ssh_userauth_publickey(login.raw, nil, key.pointer) }
        conclude(step, shown ?? key.publicBlob ?? [], name, in: file, certificate)
        return step
    }

    /// Takes down what came of a key.
    /// - Parameter file: nil for the agent's.
    private func conclude(
        _ step: LoginStep, _ shown: [UInt8], _ name: String, in file: FileKey?, _ certificate: Certificate?
    ) {
        switch step {
        case .accepted:
            if login.report.accepted.isEmpty { login.options.keyRing.keep(sufficientKey: shown, of: login.account) }
            login.report.letIn(by: name)
        case .partly: login.report.accepted(name)
        case .refused:
            refused.append(shown)
            if let algorithm = unusableAlgorithm() {
                login.report.unusable(name, algorithm)
            } else if let problem = certificate?.problem {
                login.report.add(name, problem)
            } else if let file {
                login.report.refused(key: file.path, name)
            } else {
                login.report.refusedAgentKey(name)
            }
        }
    }

    /// The signature algorithm for which the last key was not even offered: the server wants an old one, and we do not
    /// use it unasked. Read out of libssh's message (auth.c): `The key algorithm 'ssh-rsa' is not allowed to be used by
    /// PUBLICKEY_ACCEPTED_TYPES configuration option`.
    private func unusableAlgorithm() -> String? {
        let parts = lastError(login.raw).split(separator: "'", maxSplits: 2)
        guard parts.count == 3, parts[2].contains("PUBLICKEY_ACCEPTED_TYPES") else { return nil }
        return String(parts[1])
    }

    // MARK: Unlocking

    /// The key of a file, ready to sign; nil when that is not worth it or nobody gives the passphrase.
    private func privateKey(_ file: FileKey, _ certificate: Certificate?) throws(SSHError) -> PrivateKey? {
        if let key = login.options.keyRing.key(at: file.path) { return key }
        if let key = try PrivateKey.read(file.path) { return key }
        // As ssh does it: a passphrase is asked for only once the server would take the key.
        guard try wouldTake(file, certificate) else { return nil }
        for number in 0..<PasswordLogin.questions {
            let again = number == 0 ? "" : "wrong passphrase, try again\n"
            let question = "\(again)passphrase of the key \(file.path), for \(login.account): "
            guard let passphrase = login.conversation.ask(.passphrase, question) else {
                login.report.locked(key: file.path, login.conversation.reason)
                return nil
            }
            // As in ssh(1), an empty line means: go on without this key.
            if passphrase.isEmpty { break }
            if let key = PrivateKey.unlock(file.path, passphrase) {
                login.options.keyRing.keep(key, at: file.path)
                return key
            }
        }
        login.report.add("key \(file.path)", "the passphrase was wrong")
        return nil
    }

    private func wouldTake(_ file: FileKey, _ certificate: Certificate?) throws(SSHError) -> Bool {
        guard let shown = certificate?.blob ?? file.publicBlob else { return true }
        var key: ssh_key?
        let path = certificate?.path ?? (FileSystem.exists("\(file.path).pub") ? "\(file.path).pub" : file.path)
        guard ssh_pki_import_pubkey_file(path, &key) == SSH_OK, let key else { return true }
        defer { ssh_key_free(key) }
        let step = try login.judge { ssh_userauth_try_publickey(login.raw, nil, key) }
        if step == .refused {
            conclude(
                step, shown, certificate.map { "certificate \($0.path)" } ?? "key \(file.path)", in: file, certificate)
        }
        return step != .refused
    }
}
