import LinuxSystem
import SSH
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ExecTests {
    @Test func aCommandHasOutputErrorInputAndStatus() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        #expect(session.hostKeyFingerprint == server.hostKeyFingerprint)
        #expect(session.hostKeyType == "ssh-ed25519")
        #expect(session.serverBanner.hasPrefix("SSH-2.0-OpenSSH"))
        #expect(session.address == "127.0.0.1")
        let result = try await session.run("cat; echo no >&2; exit 3", input: Array("yes".utf8))
        #expect(result.outputText == "yes")
        #expect(result.errorText == "no\n")
        #expect(result.exit == .status(3))
        await session.close()
        #expect(await session.isConnected == false)
        #expect(await session.waitUntilLost().code == .closed)
    }
}
