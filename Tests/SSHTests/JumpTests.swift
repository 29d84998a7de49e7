import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Connections through other hosts.
@Suite(.timeLimit(.minutes(2))) struct JumpTests {
    private func failure(_ options: SSHOptions) async -> SSHError? {
        await #expect(throws: SSHError.self) { try await SSHSession.connect(options) }
    }

    /// Options for a server as a host on the way.
    private func hop(_ server: SSHServer) -> SSHOptions {
        var options = server.options
        options.isJumpHost = true
        return options
    }

    private func options(_ server: SSHServer, through hops: SSHServer...) -> SSHOptions {
        var options = server.options
        options.jumps = hops.map(hop)
        return options
    }

    @Test func oneJumpHostIsPassed() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let session = try await SSHSession.connect(options(target, through: jump))
        #expect(session.hostKeyFingerprint == target.hostKeyFingerprint)
        #expect(session.address == "127.0.0.1")
        // The target sees the jump host's connection, the jump host ours.
        let seen = try await session.run("echo $SSH_CONNECTION").outputText
        #expect(seen.hasSuffix("127.0.0.1 \(target.port)\n"))
        #expect(jump.log.contains("Accepted publickey") && target.log.contains("Accepted publickey"))
        await session.close()
    }

    @Test func twoJumpHostsArePassed() async throws {
        let (target, near, far) = (
            try await SSHServer.start(), try await SSHServer.start(), try await SSHServer.start()
        )
        let session = try await SSHSession.connect(options(target, through: near, far))
        #expect(try await session.run("echo there").outputText == "there\n")
        await session.close()
    }

    /// More than any buffer on the way holds, in both directions at once.
    @Test func largeStreamsComeThroughWhole() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let session = try await SSHSession.connect(options(target, through: jump))
        let bytes = testBytes(6_000_000)
        let channel = try await session.openExec("cat")
        async let echoed = channel.readToEnd()
        try await channel.write(bytes)
        await channel.sendEOF()
        let result = try await echoed
        #expect(result.output == bytes)
        #expect(result.exit == .status(0))
        let sftp = try await session.openSFTP()
        let path = Array(target.scratch.path("sshd_config").utf8)
        #expect(try await sftp.stat(path).size == UInt64(try target.scratch.read("sshd_config").utf8.count))
        await sftp.close()
        await session.close()
    }

    /// Both sessions end with the one that was asked for.
    @Test func closingEndsTheJumpHostsSession() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let session = try await SSHSession.connect(options(target, through: jump))
        await session.close()
        try await wait { jump.log.contains("Received disconnect") || jump.log.contains("Connection closed by") }
        try await wait { target.log.contains("Received disconnect") || target.log.contains("Connection closed by") }
    }

    @Test func theJumpHostsLossIsTheTargets() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let session = try await SSHSession.connect(options(target, through: jump))
        let channel = try await session.openExec("echo up; sleep 60")
        #expect(try await channel.read() == .stdout(Array("up\n".utf8)))
        async let loss = session.waitUntilLost()
        jump.killConnections()
        let error = await loss
        #expect(error.code == .connectionLost)
        #expect(error.message.contains("lost jump host 127.0.0.1:\(jump.port)"))
        try await SSHSession.connect(options(target, through: jump)).close()
    }

    @Test func theTargetsLossIsNoticedBehindTheJumpHost() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let session = try await SSHSession.connect(options(target, through: jump))
        async let loss = session.waitUntilLost()
        target.killConnections()
        let error = await loss
        #expect(error.code == .connectionLost)
        #expect(error.message.contains("lost 127.0.0.1:\(target.port)"))
        // The end of its stream tells, not a silence of three intervals.
        #expect(!error.message.contains("no sign of life"))
        try await wait { jump.log.contains("Received disconnect") || jump.log.contains("Connection closed by") }
    }

    // MARK: What goes wrong on the way is told with its place

    @Test func aJumpHostThatIsGoneIsNamed() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        try await jump.stop()
        let error = await failure(options(target, through: jump))
        #expect(error?.code == .unreachable)
        #expect(error?.message == "cannot reach jump host 127.0.0.1:\(jump.port): connection refused")
    }

    @Test func aTargetThatIsGoneIsNamedWithTheJumpHost() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        try await target.stop()
        let error = await failure(options(target, through: jump))
        #expect(error?.code == .unreachable)
        #expect(
            error?.message
                == "cannot reach 127.0.0.1:\(target.port) through jump host 127.0.0.1:\(jump.port): Connection refused")
        try await wait { jump.log.contains("Received disconnect") || jump.log.contains("Connection closed by") }
    }

    @Test func aJumpHostThatForwardsNothingIsNamed() async throws {
        let target = try await SSHServer.start()
        let jump = try await SSHServer.start(.init(extraLines: ["AllowTcpForwarding no"]))
        let error = await failure(options(target, through: jump))
        #expect(
            error?.message.contains("through jump host 127.0.0.1:\(jump.port): the jump host does not allow it") == true
        )
        #expect(error?.hint?.contains("AllowTcpForwarding") == true)
    }

    @Test func aSilentTargetTimesOutBehindTheJumpHost() async throws {
        let jump = try await SSHServer.start()
        let listener = try Listener()
        var options = jump.options
        options.port = listener.port
        options.jumps = [hop(jump)]
        options.timeout = 7
        let error = await failure(options)
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("127.0.0.1:\(listener.port): timed out after 7 s without a greeting") == true)
    }

    @Test func eachHostKeyIsCheckedAndAskedAbout() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        var options = options(target, through: jump)
        options.jumps[0].knownHostsFile = target.scratch.path("both")
        options.knownHostsFile = target.scratch.path("both")
        let error = await failure(options)
        #expect(error?.code == .hostKeyUnknown)
        #expect(error?.message.contains("the host key of jump host 127.0.0.1:\(jump.port) is not known") == true)
        let person = Person("yes", "yes")
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        #expect(person.prompts.count == 2)
        #expect(person.prompts[0].text.contains("jump host 127.0.0.1:\(jump.port)"))
        #expect(person.prompts[1].text.contains("the host key of 127.0.0.1:\(target.port)"))
        #expect(try target.scratch.read("both").split(separator: "\n").count == 2)
    }

    @Test func eachLoginIsItsOwn() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        var options = options(target, through: jump)
        let locked = jump.scratch.path("locked")
        try await Command.runSuccessfully(
            "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked])
        try jump.scratch.write("authorized_keys", try jump.scratch.read("locked.pub"))
        options.jumps[0].keyFile = locked
        let error = await failure(options)
        #expect(error?.message.contains("jump host 127.0.0.1:\(jump.port) does not let") == true)
        let person = Person("secret")
        options.ask = person.ask
        try await SSHSession.connect(options).close()
        #expect(person.prompts.first?.text.contains("127.0.0.1:\(jump.port)") == true)

        options.keyFile = locked
        let second = await failure(options)
        #expect(second?.message.contains("127.0.0.1:\(target.port) does not let") == true)
        #expect(
            second?.hint
                == "ssh-copy-id -i \(locked).pub -p \(target.port) -o ProxyJump=\(jump.user)@127.0.0.1:\(jump.port) "
                + "\(target.user)@127.0.0.1")
    }

    @Test func hostKeysAreFetchedBehindAJumpHost() async throws {
        let (target, jump) = (try await SSHServer.start(), try await SSHServer.start())
        let keys = try await HostKey.fetch(from: options(target, through: jump))
        #expect(keys.map(\.fingerprint) == [target.hostKeyFingerprint])
    }

    private func wait(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(condition())
    }
}
