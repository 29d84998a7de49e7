import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Who is let in, and who is refused with which words.
@Suite(.timeLimit(.minutes(2))) struct ConnectTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    @Test func anUnknownHostKeyIsRefusedWithItsFingerprint() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("none")
        let error = await failure(options)
        #expect(error?.code == .hostKeyUnknown)
        #expect(error?.message.contains(server.hostKeyFingerprint) == true)
        let reference = "\(server.user)@127.0.0.1:\(server.port)"
        #expect(error?.hint?.contains("ecr target trust \(reference) \(server.hostKeyFingerprint)") == true)
        #expect(error?.hint?.contains("host_key: \"\(server.hostKeyFingerprint)\"") == true)
        #expect(!FileSystem.exists(options.knownHostsFile))
    }

    @Test func aChangedHostKeyIsRefusedWithBothFingerprints() async throws {
        let server = try await SSHServer.start()
        let other = try await SSHServer.start()
        let line = try other.scratch.read("known_hosts").replacing(":\(other.port) ", with: ":\(server.port) ")
        var options = server.options
        options.knownHostsFile = try server.scratch.write("changed", "# first line\n" + line)
        let error = await failure(options)
        #expect(error?.code == .hostKeyChanged)
        #expect(error?.message.contains(server.hostKeyFingerprint) == true)
        #expect(error?.message.contains("changed, line 2, says ssh-ed25519 \(other.hostKeyFingerprint)") == true)
    }

    @Test func aRevokedHostKeyIsRefusedEvenIfKnown() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        let known = try server.scratch.read("known_hosts")
        options.knownHostsFile = try server.scratch.write("revoked", known + "@revoked " + known)
        let error = await failure(options)
        #expect(error?.code == .hostKeyRevoked)
        #expect(error?.message.contains("line 2") == true)
    }

    @Test func aHashedHostIsKnown() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = try server.scratch.write("hashed", try server.scratch.read("known_hosts"))
        try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-q", "-H", "-f", options.knownHostsFile])
        #expect(try server.scratch.read("hashed").hasPrefix("|1|"))
        try await SSHSession.connect(options).close()
    }

    @Test func aPinnedHostKeyNeedsNoKnownHosts() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.knownHostsFile = server.scratch.path("none")
        options.pinnedHostKey = server.hostKeyFingerprint
        try await SSHSession.connect(options).close()

        options.pinnedHostKey = "SHA256:AAAA"
        let error = await failure(options)
        #expect(error?.code == .hostKeyChanged)
        #expect(error?.message.contains("pinned is SHA256:AAAA") == true)
    }

    /// The server prefers ed25519; the file knows its ECDSA key.
    @Test func aKnownKeyOfAnotherTypeIsAskedFor() async throws {
        let scratch = try ScratchDirectory()
        let key = scratch.path("ecdsa")
        try await Command.runSuccessfully(
            "/usr/bin/ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-C", "", "-f", key])
        let server = try await SSHServer.start(.init(extraLines: ["HostKey \(key)"]))
        var options = server.options
        let line = "[127.0.0.1]:\(server.port) " + (try scratch.read("ecdsa.pub"))
        options.knownHostsFile = try scratch.write("known", line)
        let session = try await SSHSession.connect(options)
        #expect(session.hostKeyType == "ecdsa-sha2-nistp256")
        await session.close()
    }

    @Test func aWrongKeyIsRefusedWithWhatWasTried() async throws {
        let server = try await SSHServer.start()
        let other = try await SSHServer.start()
        var options = server.options
        options.keyFile = other.clientKey
        let error = await failure(options)
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains(other.clientKey) == true)
        #expect(
            error?.hint == "ssh-copy-id -i \(other.clientKey).pub -p \(server.port) \(server.user)@127.0.0.1")
    }

    @Test func keysThatCannotBeUsedSayWhy() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.keyFile = server.scratch.path("missing")
        #expect(await failure(options)?.message.contains("No such file") == true)

        options.keyFile = try server.scratch.write("open", try server.scratch.read("client_key"), mode: 0o644)
        let error = await failure(options)
        #expect(error?.code == .keyUnusable)
        #expect(error?.message.contains("mode 644") == true)

        options.keyFile = try server.scratch.write("garbage", "no key at all")
        #expect(await failure(options)?.code == .keyUnusable)
    }

    @Test func theAgentsKeyLetsIn() async throws {
        let server = try await SSHServer.start()
        let socket = server.scratch.path("agent")
        let agent = try RunningCommand("/usr/bin/ssh-agent", ["-D", "-a", socket], timeout: nil)
        try await agent.waitForOutput("SSH_AUTH_SOCK")
        var options = server.options
        options.keyFile = nil
        options.agentSocket = socket
        let error = await failure(options)
        #expect(error?.code == .authenticationFailed)
        #expect(error?.message.contains(socket) == true)

        try await Command.runSuccessfully(
            "/usr/bin/ssh-add", ["-q", server.clientKey], environment: ["SSH_AUTH_SOCK": socket])
        try await SSHSession.connect(options).close()
        agent.signal(SIGTERM)
        _ = try await agent.wait()
    }

    @Test func aRefusedPortSaysSo() async throws {
        let server = try await SSHServer.start()
        try await server.stop()
        let error = await failure(server.options)
        #expect(error?.code == .unreachable)
        #expect(error?.message == "cannot reach 127.0.0.1:\(server.port): connection refused")
    }

    /// Where `localhost` is `::1` first, the server does not listen there: the next address is tried.
    @Test func theServerIsFoundAmongTheAddressesOfAName() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.host = "localhost"
        options.pinnedHostKey = server.hostKeyFingerprint
        let session = try await SSHSession.connect(options)
        #expect(session.address == "127.0.0.1")
        await session.close()
    }

    @Test func aNumericIPv6AddressIsKnownByItself() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["ListenAddress ::1"]))
        var options = server.options
        options.host = "::1"
        let known = try server.scratch.read("known_hosts").replacing("[127.0.0.1]", with: "[::1]")
        options.knownHostsFile = try server.scratch.write("known6", known)
        guard server.log.contains("Server listening on ::1") else { return }
        let session = try await SSHSession.connect(options)
        #expect(session.address == "::1")
        await session.close()
    }

    @Test func anUnknownNameSaysSo() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.host = "no-such-host.invalid"
        let error = await failure(options)
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("no-such-host.invalid:\(server.port)") == true)
    }

    @Test func aSilentServerTimesOut() async throws {
        let listener = try Listener()
        let options = SSHOptions(
            host: "127.0.0.1", port: listener.port, user: "nobody", knownHostsFile: "/nonexistent", timeout: 0.3)
        let error = await failure(options)
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("timed out after 0.3 s") == true)
    }

    /// A server whose queue is full drops what asks for a connection, as a link does that is cut. ss(8) shows who asks.
    @Test(.enabled(if: Command.find("ss") != nil)) func whileNobodyAnswersItIsAskedAnew() async throws {
        let listener = try LoopbackSocket.listen(port: 0)
        let port = try LoopbackSocket.port(of: listener)
        try check("listen") { listen(listener.descriptor, 0) }
        let first = try LoopbackSocket.connect(port: port)
        let options = SSHOptions(
            host: "127.0.0.1", port: port, user: "nobody", knownHostsFile: "/nonexistent", timeout: 5)
        let attempt = Task { await failure(options) }
        var asking: [Int] = []
        while true {
            let sockets = try await Command.runSuccessfully(
                try #require(Command.find("ss")), ["-Htn", "state", "syn-sent", "dport", "= :\(port)"])
            asking.append(sockets.outputText.split(separator: "\n").count)
            if asking.last == 0, asking.contains(where: { $0 > 0 }) { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        // The first, and the two latest.
        #expect(asking.max() == 3)
        #expect(await attempt.value?.message.contains("timed out after 5 s") == true)
        withExtendedLifetime(first) {}
    }

    @Test func aServerThatSpeaksSomethingElseIsNotSSH() async throws {
        let listener = try Listener()
        listener.answer("HTTP/1.1 400 Bad Request\r\n\r\n")
        let options = SSHOptions(
            host: "127.0.0.1", port: listener.port, user: "nobody", knownHostsFile: "/nonexistent", timeout: 10)
        let error = await failure(options)
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("not an SSH server") == true)
    }
}
