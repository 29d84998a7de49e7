import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

/// Connections that break while they are used.
@Suite(.timeLimit(.minutes(2))) struct LossTests {
    @Test func aKilledConnectionThrowsAtItsReadersAndWaiters() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let channels = [
            try await session.openExec("echo up; sleep 60"), try await session.openExec("echo up; sleep 60"),
        ]
        for channel in channels { #expect(try await channel.read() == .stdout(Array("up\n".utf8))) }
        let sftp = try await session.openSFTP()
        async let loss = session.waitUntilLost()
        async let error = failure(of: channels[0])
        server.killConnections()
        #expect(await loss.code == .connectionLost)
        #expect(await error?.code == .connectionLost)
        #expect(await failure(of: channels[1])?.code == .connectionLost)
        #expect(await session.isConnected == false)
        let refusal = await #expect(throws: SSHError.self) { try await session.openExec("true") }
        #expect(refusal?.code == .connectionLost)
        let late = await #expect(throws: SSHError.self) { try await sftp.stat(Array("/".utf8)) }
        #expect(late?.code == .connectionLost)
        for channel in channels { await channel.close() }
        await sftp.close()
        await session.close()
        try await SSHSession.connect(server.options).close()
    }

    @Test func aWriterIsToldOfTheLoss() async throws {
        let server = try await SSHServer.start()
        let session = try await SSHSession.connect(server.options)
        let channel = try await session.openExec("echo up; sleep 60")
        _ = try await channel.read()
        async let written: Void = channel.write([UInt8](repeating: 0, count: 20_000_000))
        server.killConnections()
        do {
            try await written
            Issue.record("the write did not fail")
        } catch let error as SSHError {
            #expect(error.code == .connectionLost)
        }
    }

    @Test func aStoppedServerIsLost() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.livenessInterval = 0.2
        let session = try await SSHSession.connect(options)
        let channel = try await session.openExec("echo up; sleep 60")
        _ = try await channel.read()
        server.signalConnections(SIGSTOP)
        let error = await failure(of: channel)
        #expect(error?.code == .connectionLost)
        #expect(error?.message.contains("no sign of life") == true)
        server.killConnections()
    }

    /// The questions of a long silence are answered, each of them.
    @Test func aSilentButLivingServerIsKept() async throws {
        let server = try await SSHServer.start()
        var options = server.options
        options.livenessInterval = 0.4
        let session = try await SSHSession.connect(options)
        #expect(try await session.run("sleep 3; echo here").outputText == "here\n")
        #expect(await session.isConnected)
        await session.close()
    }

    @Test func oneLossLeavesTheOtherSessionsAlone() async throws {
        let dying = try await SSHServer.start()
        let living = try await SSHServer.start()
        let lost = try await SSHSession.connect(dying.options)
        let kept = try await SSHSession.connect(living.options)
        async let outputs = withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<5 { group.addTask { try await kept.run("sleep 0.2; echo fine").outputText } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        dying.killConnections()
        #expect(await lost.waitUntilLost().code == .connectionLost)
        #expect(try await outputs == [String](repeating: "fine\n", count: 5))
        await kept.close()
    }

    private func failure(of channel: SSHChannel) async -> SSHError? {
        do {
            _ = try await channel.readToEnd()
            return nil
        } catch {
            return error
        }
    }
}
