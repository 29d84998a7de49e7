import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Logins with keys: encrypted ones, the agent's, certificates.
@Suite(.timeLimit(.minutes(2))) struct KeyLoginTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    private static let keygen = "/usr/bin/ssh-keygen"

    /// Makes a key that the server lets in.
    private func makeKey(
        _ server: SSHServer, _ name: String = "locked", passphrase: String = "secret phrase",
        format: [String] = ["-t", "ed25519"], isAuthorized: Bool = true
    ) async throws -> String {
        let path = server.scratch.path(name)
        try await Command.runSuccessfully(
            Self.keygen, ["-q", "-N", passphrase, "-C", "\(name)@test", "-f", path] + format)
        if isAuthorized {
            let known = try server.scratch.read("authorized_keys")
            try server.scratch.write("authorized_keys", known + (try server.scratch.read("\(name).pub")))
        }
        return path
    }

    // MARK: Once more

    /// A round trip less, on a link where each counts.
    @Test func aKeyThatWasEnoughIsOfferedFirstTheNextTime() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["LogLevel DEBUG1"]))
        let other = try await makeKey(server, "other", passphrase: "", isAuthorized: false)
        var options = server.options
        options.keyFile = nil
        options.identityFiles = [other, server.clientKey]
        func requests(_ method: String) -> Int { server.process.log.ranges(of: "method \(method)").count }
        try await SSHSession.connect(options).close()
        #expect(requests("none") == 1)
        #expect(requests("publickey") == 2)
        try await SSHSession.connect(options).close()
        #expect(requests("none") == 1 && requests("publickey") == 3)

        try server.scratch.write("authorized_keys", "")
        let error = await failure(options)
        #expect(error?.code == .authenticationFailed && error?.message.contains("it allows: publickey") == true)
        #expect(error?.message.ranges(of: ": refused").count == 2, "\(error?.message ?? "")")
        #expect(requests("none") == 1)
    }

    // MARK: Encrypted keys

    @Test(arguments: [["-t", "ed25519"], ["-t", "rsa"], ["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa"]])
    func aPassphraseUnlocksAKey(_ format: [String]) async throws {
        let server = try await SSHServer.start()
        var options = server.options
        let key = try await makeKey(server, format: format)
        options.keyFile = key
        let person = Person("secret phrase")
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        #expect(person.prompts.count == 1)
        let prompt = try #require(person.prompts.first)
        #expect(prompt.kind == .passphrase && !prompt.isEchoed)
        #expect(prompt.text.contains(key) && prompt.text.contains("\(server.user)@127.0.0.1:\(server.port)"))

        // A reconnect asks nobody, but a file that was replaced is another key.
        options.ask = nil
        try await SSHSession.connect(options).close()
        try FileSystem.replace(key, with: try FileSystem.read(key))
        let error = await failure(options)
        #expect(error?.message.contains("nobody can be asked") == true)
    }

    /// The public half is read from the private file where there is no `.pub`.
    @Test func aKeyWithoutItsPublicFileIsUnlocked() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.keyFile = try await makeKey(server)
        unlink("\(server.scratch.path("locked")).pub")
        options.ask = Person("secret phrase").ask
        try await SSHSession.connect(options).close()
    }

    @Test func threeWrongPassphrasesAreEnough() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.keyFile = try await makeKey(server)
        let person = Person("wrong", "wrong again", "still wrong", "secret phrase")
        options.ask = person.ask
        let error = await failure(options)
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains("the passphrase was wrong") == true)
        #expect(person.prompts.count == 3)
        #expect(person.prompts[1].text.hasPrefix("wrong passphrase, try again\n"))

        options.ask = Person("wrong", "secret phrase").ask
        try await SSHSession.connect(options).close()
    }

    @Test func nobodyToAskIsSaidWithTheWayOut() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        let key = try await makeKey(server)
        options.keyFile = key
        for (ask, reason) in [(nil, "nobody can be asked"), (Person(nil).ask, "no answer came")] {
            options.ask = ask
            let error = await failure(options)
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("key \(key): encrypted, needs its passphrase, and \(reason)") == true)
            #expect(error?.hint?.hasPrefix("ssh-add '\(key)'") == true)
        }
    }

    /// As with ssh: no question for a key that the server would not take.
    @Test func aKeyThatIsNotKnownThereIsNotUnlocked() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        let key = try await makeKey(server, isAuthorized: false)
        options.keyFile = key
        let person = Person("secret phrase")
        options.ask = person.ask
        let error = await failure(options)
        #expect(error?.message.contains("key \(key): refused") == true)
        #expect(error?.message.contains("it allows: publickey") == true)
        #expect(error?.hint == "ssh-copy-id -i \(key).pub -p \(server.port) \(server.user)@127.0.0.1")
        #expect(person.prompts.isEmpty)
    }

    /// Two keys, both encrypted; an empty line passes the first by.
    @Test func anEmptyPassphraseGoesOnToTheNextKey() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.keyFile = nil
        options.agentSocket = ""
        options.identityFiles = [
            server.scratch.path("missing"), try await makeKey(server, "first"), try await makeKey(server, "second"),
        ]
        let person = Person("", "secret phrase")
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        #expect(person.prompts.map { $0.text.contains("/second,") } == [false, true])
    }

    // MARK: The agent

    /// An agent for the time of a body.
    private func withAgent(_ server: SSHServer, _ body: (String) async throws -> Void) async throws {
        let socket = server.scratch.path("agent")
        let agent = try RunningCommand(
            "/usr/bin/ssh-agent", ["-D", "-a", socket], environment: ["SSH_ASKPASS": "/bin/false", "DISPLAY": ":0"],
            timeout: nil)
        try await agent.waitForOutput("SSH_AUTH_SOCK")
        do { try await body(socket) } catch {
            agent.signal(SIGKILL)
            throw error
        }
        agent.signal(SIGTERM)
        _ = try await agent.wait()
    }

    private func add(_ key: String, to socket: String, _ options: String...) async throws {
        try await Command.runSuccessfully(
            "/usr/bin/ssh-add", ["-q"] + options + [key], environment: ["SSH_AUTH_SOCK": socket])
    }

    /// The agent's copy of an encrypted key needs no passphrase; its other keys stay where they are.
    @Test func theAgentSignsForTheNamedKey() async throws {
        let server = try await SSHServer.start()
        let open = try await makeKey(server, "open", passphrase: "")
        try await withAgent(server) { socket in
            try await add(server.clientKey, to: socket)
            try await add(open, to: socket)
            try await Command.runSuccessfully(Self.keygen, ["-q", "-p", "-P", "", "-N", "secret", "-f", open])
            var options = server.options
            options.agentSocket = socket
            options.keyFile = open
            try await SSHSession.connect(options).close()
            #expect(server.log.contains("Accepted publickey for \(server.user)"))

            options.keyFile = try await makeKey(server, "stranger", passphrase: "", isAuthorized: false)
            #expect(await failure(options)?.code == .authenticationFailed)
        }
    }

    @Test func everyKeyOfTheAgentIsTriedAndNamed() async throws {
        let server = try await SSHServer.start()
        try await withAgent(server) { socket in
            for name in ["one", "two"] {
                try await add(try await makeKey(server, name, passphrase: "", isAuthorized: false), to: socket)
            }
            var options = server.options
            options.keyFile = nil
            options.identityFiles = []
            options.agentSocket = socket
            let error = await failure(options)
            #expect(error?.message.contains("agent's key one@test (ssh-ed25519): refused") == true)
            #expect(error?.message.contains("agent's key two@test (ssh-ed25519): refused") == true)
            #expect(error?.hint == "ssh-copy-id -p \(server.port) \(server.user)@127.0.0.1")

            try await add(server.clientKey, to: socket)
            try await SSHSession.connect(options).close()
            options.usesIdentitiesOnly = true
            #expect(await failure(options)?.message.contains("agent's key") == false)
            options.identityFiles = [server.clientKey + ".pub"]
            try await SSHSession.connect(options).close()
        }
    }

    /// The owner of the agent says no; the file is still there.
    @Test func anAgentThatRefusesToSignIsNotTheEnd() async throws {
        let server = try await SSHServer.start()
        try await withAgent(server) { socket in
            try await add(server.clientKey, to: socket, "-c")
            var options = server.options
            options.agentSocket = socket
            try await SSHSession.connect(options).close()
            options.keyFile = nil
            options.identityFiles = []
            let error = await failure(options)
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("the agent refused to sign") == true)
        }
    }

    /// Each key counts as a try.
    @Test func anAgentWithTooManyKeysSaysWhatToDo() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["MaxAuthTries 2"]))
        try await withAgent(server) { socket in
            for name in ["one", "two", "three"] {
                try await add(try await makeKey(server, name, passphrase: "", isAuthorized: false), to: socket)
            }
            var options = server.options
            options.keyFile = nil
            options.identityFiles = []
            options.agentSocket = socket
            let error = await failure(options)
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("Too many authentication failures; tried: agent's key one@test") == true)
            #expect(error?.hint == "name the one key that it knows by key_file: in the profile")
        }
    }

    @Test func anAgentThatIsGoneIsNamed() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.keyFile = nil
        options.identityFiles = []
        options.agentSocket = server.scratch.path("gone")
        let error = await failure(options)
        #expect(error?.message.contains("\(server.scratch.path("gone")): No such file or directory") == true)
    }

    // MARK: Certificates

    /// A server that trusts a CA and no key, and a certificate for a fresh key.
    private func withCertificate(
        validity: String = "+1h", principal: String? = nil, type: String = "ed25519",
        _ body: (SSHServer, String) async throws -> Void
    ) async throws {
        let scratch = try ScratchDirectory()
        try await Command.runSuccessfully(Self.keygen, ["-q", "-t", "ed25519", "-N", "", "-f", scratch.path("ca")])
        let server = try await SSHServer.start(
            .init(extraLines: ["TrustedUserCAKeys \(scratch.path("ca.pub"))"]))
        let key = try await makeKey(
            server, "certified", passphrase: "", format: ["-t", type], isAuthorized: false)
        try await Command.runSuccessfully(
            Self.keygen,
            [
                "-q", "-s", scratch.path("ca"), "-I", "test", "-n", principal ?? server.user, "-V", validity,
                "\(key).pub",
            ])
        try await body(server, key)
    }

    @Test(arguments: ["ed25519", "rsa", "ecdsa"]) func theCertificateBesideAKeyLetsIn(_ type: String) async throws {
        try await withCertificate(type: type) { server, key in
            var options = server.options
            options.keyFile = key
            try await SSHSession.connect(options).close()
            #expect(server.log.contains("-CERT"))
            unlink("\(key)-cert.pub")
            #expect(await failure(options)?.code == .authenticationFailed)
        }
    }

    @Test func aCertificateOfAnEncryptedKeyIsUnlocked() async throws {
        try await withCertificate { server, key in
            try await Command.runSuccessfully(Self.keygen, ["-q", "-p", "-P", "", "-N", "secret", "-f", key])
            var options = server.options
            options.keyFile = key
            let person = Person("secret")
            options.ask = person.ask
            try await SSHSession.connect(options).close()
            #expect(person.prompts.count == 1)
        }
    }

    /// The key lies in the agent, its certificate in a file.
    @Test func anAgentsKeyIsShownWithItsCertificate() async throws {
        try await withCertificate { server, key in
            try await withAgent(server) { socket in
                let certificate = server.scratch.path("elsewhere.pub")
                try FileSystem.rename("\(key)-cert.pub", to: certificate)
                try await add(key, to: socket)
                var options = server.options
                options.keyFile = nil
                options.identityFiles = []
                options.agentSocket = socket
                #expect(await failure(options)?.code == .authenticationFailed)
                options.certificateFiles = [certificate]
                try await SSHSession.connect(options).close()
            }
        }
    }

    @Test func aCertificateInTheAgentLetsIn() async throws {
        try await withCertificate { server, key in
            try await withAgent(server) { socket in
                // ssh-add takes the certificate beside the key with it.
                try await add(key, to: socket)
                var options = server.options
                options.keyFile = nil
                options.identityFiles = []
                options.agentSocket = socket
                try await SSHSession.connect(options).close()
                #expect(server.log.contains("-CERT"))
            }
        }
    }

    @Test func aCertificateThatIsOverSaysSo() async throws {
        try await withCertificate(validity: "20200101:20200102") { server, key in
            var options = server.options
            options.keyFile = key
            let error = await failure(options)
            #expect(error?.message.contains("certificate \(key)-cert.pub: it ended at 2020-01-0") == true)
        }
        try await withCertificate(principal: "somebody-else") { server, key in
            var options = server.options
            options.keyFile = key
            #expect(await failure(options)?.message.contains("certificate \(key)-cert.pub: refused") == true)
        }
    }

    @Test func aCertificateOfNoKeyIsNamed() async throws {
        try await withCertificate { server, key in
            var options = server.options
            options.keyFile = nil
            options.agentSocket = ""
            options.identityFiles = [server.clientKey]
            options.certificateFiles = ["\(key)-cert.pub", server.clientKey + ".pub"]
            try server.scratch.write("authorized_keys", "")
            let error = await failure(options)
            #expect(error?.message.contains("its key is neither in the agent nor in a key file") == true)
            #expect(error?.message.contains("certificate \(server.clientKey).pub: cannot be read") == true)
        }
    }
}
