import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Host keys that a person vouches for, and what is written then.
@Suite(.timeLimit(.minutes(2))) struct HostKeyTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    @Test(arguments: ["yes", " YES ", "fingerprint"]) func anAcceptedKeyIsWritten(_ word: String) async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("home/.ssh/known_hosts")
        let person = Person(word == "fingerprint" ? server.hostKeyFingerprint : word)
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        let prompt = try #require(person.prompts.first)
        #expect(prompt.kind == .hostKey && prompt.isEchoed)
        #expect(prompt.text.contains("127.0.0.1:\(server.port)"))
        #expect(prompt.text.contains("ssh-ed25519 \(server.hostKeyFingerprint)"))
        let written = try server.scratch.read("home/.ssh/known_hosts")
        #expect(written == (try server.scratch.read("known_hosts").replacing(" test\n", with: "\n")))
        #expect(mode(options.knownHostsFile) == 0o600)
        #expect(mode(server.scratch.path("home/.ssh")) == 0o700)

        options.ask = nil
        try await SSHSession.connect(options).close()
        #expect(try server.scratch.read("home/.ssh/known_hosts") == written)
    }

    @Test func aKeyIsAddedBehindALineWithoutEnd() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = try server.scratch.write("torn", "# the last line", mode: 0o644)
        options.ask = Person("yes").ask
        try await SSHSession.connect(options).close()
        #expect(try server.scratch.read("torn").hasPrefix("# the last line\n[127.0.0.1]:\(server.port) ssh-ed25519 "))
        #expect(mode(options.knownHostsFile) == 0o644)
        try await Command.runSuccessfully(
            "/usr/bin/ssh-keygen", ["-F", "[127.0.0.1]:\(server.port)", "-f", options.knownHostsFile])
    }

    @Test(arguments: ["no", "", "SHA256:AAAA", nil]) func aRefusedKeyIsNotWritten(_ answer: String?) async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("none")
        let person = Person(answer)
        options.ask = person.ask
        let error = await failure(options)
        #expect(error?.code == .hostKeyUnknown)
        #expect(error?.message.contains(server.hostKeyFingerprint) == true)
        #expect(person.prompts.count == 1)
        #expect(!FileSystem.exists(options.knownHostsFile))
    }

    @Test func anUnclearAnswerIsAskedAgain() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("none")
        let person = Person("perhaps", "y", "what?")
        options.ask = person.ask
        #expect(await failure(options)?.code == .hostKeyUnknown)
        #expect(person.prompts.count == 3)
        #expect(person.prompts[1].text.contains("please type yes, no, or the fingerprint"))
        #expect(!FileSystem.exists(options.knownHostsFile))
    }

    @Test func aChangedKeyIsNeverAskedAbout() async throws {
        let server = try await SSHServer.start()
        let other = try await SSHServer.start()
        var options = server.options
        let line = try other.scratch.read("known_hosts").replacing(":\(other.port) ", with: ":\(server.port) ")
        options.knownHostsFile = try server.scratch.write("changed", line)
        let person = Person("yes")
        options.ask = person.ask
        #expect(await failure(options)?.code == .hostKeyChanged)
        options.knownHostsFile = try server.scratch.write(
            "revoked", "@revoked " + (try server.scratch.read("known_hosts")))
        #expect(await failure(options)?.code == .hostKeyRevoked)
        #expect(person.prompts.isEmpty)
    }

    /// The time of a person is not the connection's.
    @Test func aSlowAnswerDoesNotTimeOut() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("none")
        options.timeout = 7
        options.ask = { _ in
            usleep(9_000_000)
            return "yes"
        }
        try await SSHSession.connect(options).close()
    }

    /// A key that was accepted counts for the process, even where it cannot be read again.
    @Test func anAcceptedKeyIsRemembered() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = "/dev/null"
        let person = Person("yes")
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        try await SSHSession.connect(options).close()
        #expect(person.prompts.count == 1)
    }

    @Test func aFileThatCannotBeWrittenIsAnError() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = "/proc/known_hosts"
        options.ask = Person("yes").ask
        let error = await failure(options)
        #expect(error?.code == .hostKeyUnknown)
        #expect(error?.message.contains("cannot be remembered") == true)
        #expect(error?.hint?.contains("host_key: \"\(server.hostKeyFingerprint)\"") == true)
    }

    @Test func anAliasIsLookedUpInsteadOfTheAddress() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        let key = try server.scratch.read("known_hosts").split(separator: " ")[1...2].joined(separator: " ")
        options.knownHostsFile = try server.scratch.write("alias", "my_board \(key)\n")
        #expect(await failure(options)?.code == .hostKeyUnknown)
        options.hostKeyAlias = "My_Board"
        try await SSHSession.connect(options).close()
    }

    /// As in ssh(1): a line without a port is good for the same key on another port, and no witness against another.
    @Test func aLineWithoutAPortVouchesOnly() async throws {
        let server = try await SSHServer.start()
        let other = try await SSHServer.start()
        var options = server.options
        let key = { (server: SSHServer) in
            try server.scratch.read("known_hosts").split(separator: " ")[1...2].joined(separator: " ")
        }
        options.knownHostsFile = try server.scratch.write("portless", "127.0.0.1 \(try key(server))\n")
        try await SSHSession.connect(options).close()
        options.knownHostsFile = try server.scratch.write("portless", "127.0.0.1 \(try key(other))\n")
        #expect(await failure(options)?.code == .hostKeyUnknown)
    }

    @Test func allFilesAreRead() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.otherKnownHostsFiles = [server.scratch.path("missing"), options.knownHostsFile]
        options.knownHostsFile = server.scratch.path("none")
        try await SSHSession.connect(options).close()
    }

    @Test func theKeysAreFetchedWithoutLoggingIn() async throws {
        let scratch = try ScratchDirectory()
        for type in ["rsa", "ecdsa"] {
            try await Command.runSuccessfully(
                "/usr/bin/ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", scratch.path(type)])
        }
        let server = try await SSHServer.start(
            .init(extraLines: ["rsa", "ecdsa"].map { "HostKey \(scratch.path($0))" }))
        var options = SSHOptions(
            host: server.host, port: server.port, user: "nobody-at-all", knownHostsFile: scratch.path("trusted"))
        let keys = try await HostKey.fetch(from: options)
        #expect(keys.map(\.type) == ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
        #expect(keys[0].fingerprint == server.hostKeyFingerprint)
        let listing = try await Command.runSuccessfully(
            "/usr/bin/ssh-keygen", ["-l", "-E", "sha256", "-f", scratch.path("rsa")])
        #expect(listing.outputText.contains(keys[2].fingerprint))

        #expect(KnownHosts(options).standing(of: keys[1]) == .unknown)
        try KnownHosts(options).add(keys[1])
        guard case .known(let entry) = KnownHosts(options).standing(of: keys[1]) else {
            Issue.record("not known")
            return
        }
        #expect(entry.place == "\(scratch.path("trusted")), line 1")
        guard case .changed(let entries) = KnownHosts(options).standing(of: keys[0]) else {
            Issue.record("not changed")
            return
        }
        #expect(entries.map(\.key) == [keys[1]])
        // The known type is now asked for, although the server has one that we like better.
        options = server.options
        options.knownHostsFile = scratch.path("trusted")
        let session = try await SSHSession.connect(options)
        #expect(session.hostKeyType == "ecdsa-sha2-nistp256")
        await session.close()
    }

    @Test func nothingIsFetchedFromNobody() async throws {
        let server = try await SSHServer.start()
        try await server.stop()
        let error = await #expect(throws: SSHError.self) { try await HostKey.fetch(from: server.options) }
        #expect(error?.code == .unreachable)
    }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}
