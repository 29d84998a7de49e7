import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Logins that a person answers for: password and keyboard-interactive, alone and behind a key. The accounts are made
/// for the test, which takes root; without it nothing of this runs.
@Suite(.serialized, .enabled(if: TestUser.isAvailable), .timeLimit(.minutes(2))) struct PasswordLoginTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    private static let password = ["PasswordAuthentication yes"]
    private static let interactive = ["UsePAM yes", "KbdInteractiveAuthentication yes"]

    /// Options for a user with neither agent nor keys.
    private func options(_ server: any SSHTestServer, _ user: TestUser, _ person: Person? = nil) -> SSHOptions {
        var options = server.options
        options.user = user.name
        options.keyFile = nil
        options.identityFiles = []
        options.agentSocket = ""
        options.ask = person?.ask
        return options
    }

    @Test(arguments: ["OpenSSH", "dropbear"]) func thePasswordLetsIn(_ kind: String) async throws {
        try await TestUser.with { user in
            let server: any SSHTestServer =
                kind == "OpenSSH"
                ? try await SSHServer.start(.init(extraLines: Self.password))
                : try await DropbearServer.start(takesPasswords: true)
            let person = Person("wrong", user.password)
            var options = options(server, user, person)
            let session = try await SSHSession.connect(options)
            #expect(try await session.run("id -un").outputText == "\(user.name)\n")
            await session.close()
            #expect(person.prompts.map(\.kind) == [.password, .password])
            #expect(person.prompts.allSatisfy { !$0.isEchoed })
            #expect(person.prompts[0].text == "password of \(user.name)@127.0.0.1:\(server.port): ")
            #expect(person.prompts[1].text.hasPrefix("wrong password, try again\n"))

            // What worked is not asked for again.
            options.ask = nil
            try await SSHSession.connect(options).close()
        }
    }

    @Test func threeWrongPasswordsAreEnough() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(.init(extraLines: Self.password))
            let person = Person("a", "b", "c", user.password)
            let error = await failure(options(server, user, person))
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("password: refused 3 times") == true)
            #expect(error?.message.contains("does not let \(user.name) in") == true)
            #expect(person.prompts.count == 3)
        }
    }

    /// A password that no longer holds is forgotten, not tried again and again.
    @Test func aChangedPasswordIsAskedForAnew() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(.init(extraLines: Self.password))
            let person = Person(user.password, "new word")
            var options = options(server, user, person)
            try await SSHSession.connect(options).close()
            try await Command.runSuccessfully(
                Command.find("chpasswd") ?? "", input: Array("\(user.name):new word\n".utf8))
            try await SSHSession.connect(options).close()
            #expect(person.prompts.count == 2)
            options.ask = nil
            try await SSHSession.connect(options).close()
        }
    }

    @Test func nobodyToAskIsSaidWithTheWayOut() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(extraLines: Self.password + Self.interactive + ["PubkeyAuthentication no"]))
            for (person, reason) in [(nil, "nobody can be asked"), (Person(nil), "no answer came")] {
                let error = await failure(options(server, user, person))
                #expect(error?.code == .authenticationFailed)
                #expect(error?.message.contains("keyboard-interactive: \(reason); password: \(reason)") == true)
                #expect(error?.message.contains("it allows: keyboard-interactive, password") == true)
                #expect(error?.hint?.hasPrefix("type the command at a terminal") == true)
                #expect(person?.prompts.count ?? 1 == 1)
            }
        }
    }

    @Test func theServersOwnQuestionsAreAsked() async throws {
        try await TestUser.with { user in
            let scratch = try ScratchDirectory()
            let banner = try scratch.write("banner", "authorized users only\n")
            let server = try await SSHServer.start(.init(extraLines: Self.interactive + ["Banner \(banner)"]))
            let person = Person("wrong", user.password)
            var options = options(server, user, person)
            try await SSHSession.connect(options).close()
            #expect(person.prompts.map(\.kind) == [.keyboardInteractive, .keyboardInteractive])
            let first = try #require(person.prompts.first)
            #expect(!first.isEchoed)
            #expect(first.text.hasPrefix("authorized users only\n"))
            #expect(first.text.contains("(\(user.name)@127.0.0.1:\(server.port)) Password: "))
            options.ask = nil
            try await SSHSession.connect(options).close()
        }
    }

    @Test func threeWrongAnswersAreEnough() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(.init(extraLines: Self.interactive))
            let person = Person("a", "b", "c", user.password)
            let error = await failure(options(server, user, person))
            #expect(error?.message.contains("keyboard-interactive: refused") == true)
            #expect(person.prompts.count == 3)
        }
    }

    @Test func aKeyAndAPasswordLetInTogether() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(
                    extraLines: Self.password + [
                        "AuthenticationMethods publickey,password", "AuthorizedKeysFile .ssh/authorized_keys",
                    ]))
            try await user.write(".ssh/authorized_keys", try server.scratch.read("authorized_keys"))
            let person = Person(user.password)
            var options = options(server, user, person)
            options.keyFile = server.clientKey
            try await SSHSession.connect(options).close()
            #expect(person.prompts.map(\.kind) == [.password])

            options.keyRing = KeyRing()
            options.ask = nil
            let error = await failure(options)
            #expect(error?.code == .authenticationFailed)
            #expect(error?.message.contains("wants more from \(user.name)") == true)
            #expect(error?.message.contains("key \(server.clientKey): accepted, but the server wants more") == true)
            #expect(error?.message.contains("it allows: password") == true)
        }
    }

    @Test func twoKeysLetInTogether() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(
                    extraLines: [
                        "AuthenticationMethods publickey,publickey", "AuthorizedKeysFile .ssh/authorized_keys",
                    ]))
            let second = server.scratch.path("second")
            try await Command.runSuccessfully(
                "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", second])
            try await user.write(
                ".ssh/authorized_keys",
                try server.scratch.read("authorized_keys") + (try server.scratch.read("second.pub")))
            var options = options(server, user)
            options.identityFiles = [server.clientKey, second]
            try await SSHSession.connect(options).close()
            options.identityFiles = [server.clientKey]
            #expect(await failure(options)?.message.contains("wants more") == true)
        }
    }

    /// The server ends the connection after its own number of tries.
    @Test func tooManyTriesAreToldWithWhatWasTried() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(extraLines: Self.password + ["MaxAuthTries 2"]))
            let error = await failure(options(server, user, Person("a", "b", "c")))
            #expect(error?.code == .authenticationFailed)
            #expect(
                error?.message.contains(
                    "has ended the login of \(user.name): Too many authentication failures; tried: nothing; last: password"
                )
                    == true)
            #expect(error?.hint?.hasPrefix("type the command again") == true)
        }
    }

    /// A server waits for answers only so long; what was vouched for until then counts at the next try.
    @Test func aServerThatIsTiredOfWaitingIsToldSo() async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(.init(extraLines: Self.password + ["LoginGraceTime 1"]))
            var options = options(server, user)
            options.ask = { _ in
                usleep(2_500_000)
                return user.password
            }
            let error = await failure(options)
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("has ended the login of \(user.name)") == true)
            #expect(error?.hint?.hasPrefix("type the command again") == true)
        }
    }
}
