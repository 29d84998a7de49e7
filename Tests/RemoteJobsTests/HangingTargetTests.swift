import LinuxSystem
import SSH
import TestSupport
import Testing

@testable import RemoteJobs

/// What hangs on a target while its link stands is left, and named.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HangingTargetTests {
    private func serverWithHangingSFTP(_ hanging: HangingProgram) async throws -> SSHServer {
        try await SSHServer.start(.init(servesSFTP: false, extraLines: [hanging.serverLine]))
    }

    @Test func aGreetingNeedNotBeWaitedFor() async throws {
        let hanging = try HangingProgram(sftpFrom: 1)
        let server = try await serverWithHangingSFTP(hanging)
        let session = try await SSHSession.connect(server.options)
        let opening = Task { try await session.openSFTP() }
        try await hanging.waitUntilBegun()
        opening.cancel()
        let error = await #expect(throws: SSHError.self) { _ = try await opening.value }
        #expect(error?.code == .closed)
        // The session goes on.
        #expect(try await Dispatcher(on: session).run("echo on").text == "on\n")
        await session.close()
    }

    @Test func aTargetIsConnectedWithinItsTime() async throws {
        let hanging = try HangingProgram(sftpFrom: 1)
        let server = try await serverWithHangingSFTP(hanging)
        var options = server.options
        options.timeout = 5
        let target = try await Target.connect(options)
        #expect(await target.sftp == nil && target.isSFTPHanging)
        let line = try await target.transferLine(isBulk: true)
        #expect(line.sftp == nil && line.isSFTPHanging && line.session !== target.session)
        let refusal = #expect(throws: TransferFailure.self) { try line.ways.require(.sftp) }
        #expect(refusal?.reason.hasPrefix("the target's SFTP server hangs; it has ") == true)
        await target.close()
    }

    @Test func whoeverIsCancelledDoesNotWaitForASession() async throws {
        let hanging = try HangingProgram(sftpFrom: 2)
        let server = try await serverWithHangingSFTP(hanging)
        let target = try await Target.connect(server.options)
        let (one, other) = (
            Task { try await target.transferLine(isBulk: true) }, Task { try await target.transferLine(isBulk: true) }
        )
        try await hanging.waitUntilBegun()
        one.cancel()
        await #expect(throws: CancellationError.self) { _ = try await one.value }
        // It goes on for the other one.
        try hanging.goOn()
        #expect(try await other.value.sftp != nil)
        await target.close()
    }

    @Test func aSessionForAnArchiveStartsNoServer() async throws {
        let hanging = try HangingProgram(sftpFrom: 2)
        let server = try await serverWithHangingSFTP(hanging)
        let target = try await Target.connect(server.options)
        let line = try await target.transferLine(isBulk: true, asksForSFTP: false)
        #expect(line.session !== target.session && line.sftp == nil && !line.isSFTPHanging)
        // Little has a server that runs.
        #expect(try await target.transferLine(isBulk: false).session === target.session)
        // A round trip behind it.
        #expect(try await line.runSoon(Array("echo on".utf8)).output == Array("on\n".utf8))
        #expect(!hanging.hasBegun)
        try hanging.goOn()
        try await line.askForSFTP()
        #expect(line.sftp != nil && hanging.hasBegun)
        #expect(try await target.transferLine(isBulk: false) === line)
        await target.close()
    }

    @Test func aSecondSessionsServerIsDoneWithout() async throws {
        let hanging = try HangingProgram(sftpFrom: 2)
        let server = try await serverWithHangingSFTP(hanging)
        let target = try await Target.connect(server.options)
        let line = try await target.transferLine(isBulk: true)
        #expect(line.session !== target.session && line.isSFTPHanging)
        #expect(line.ways.pulling(nil) == .exec)
        // The first one's is there for little, and for whoever asks for it.
        #expect(try await target.transferLine(isBulk: false).session === target.session)
        #expect(try await target.transferLine(isBulk: true, for: .sftp).session === target.session)
        #expect(try await target.transferLine(isBulk: true, for: .exec) === line)
        await target.close()
    }

    @Test(arguments: ["find", "openssl"]) func aProgramThatHangsIsNamed(_ program: String) async throws {
        let hanging = try HangingProgram(program)
        let server = try await SSHServer.start(.init(extraLines: [hanging.serverLine]))
        let target = try await Target.connect(server.options)
        let failure = await #expect(throws: TransferFailure.self) {
            _ = try await TransferTools.probe(target.session, facts: target.facts.tools, Patience(shortest: 1))
        }
        #expect(failure?.isStall == true)
        #expect(failure?.reason == "the target hangs over its `\(program)`, which files need")
        try hanging.goOn()
        #expect(try await target.transferLine(isBulk: false).tools.canHash)
        await target.close()
    }

    @Test func aProgramThatHangsKeepsNobodyWhoIsCancelled() async throws {
        let hanging = try HangingProgram("find")
        let server = try await SSHServer.start(.init(extraLines: [hanging.serverLine]))
        let target = try await Target.connect(server.options)
        for isBulk in [false, true] {
            let asking = Task { try await target.transferLine(isBulk: isBulk) }
            try await hanging.waitUntilBegun()
            asking.cancel()
            await #expect(throws: (any Error).self) { _ = try await asking.value }
        }
        try hanging.goOn()
        await target.close()
    }
}
