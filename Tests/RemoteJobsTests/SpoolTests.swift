import Hashing
import LinuxSystem
import SSH
import TestSupport
import Testing

@testable import RemoteJobs

/// Spools and files of a real target.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SpoolTests {
    private func spoolFailure(_ target: Target, root: String, as id: String = "c0ffee") async -> SpoolError? {
        await #expect(throws: SpoolError.self) {
            try await target.makeSpool(
                root: root, for: ControllerIdentity(id: id, name: "you@bench"), now: "2026-01-27T15:00:00Z")
        }
    }

    @Test func aTargetBelongsToOneController() async throws {
        let fixture = try await TargetFixture(SSHServer.start())
        let target = fixture.target
        let mode = try await Command.run("/usr/bin/stat", ["-c", "%a", fixture.root, fixture.spool])
        #expect(mode.outputText == "700\n700\n")
        let second = try await target.makeSpool(
            root: fixture.root, for: TargetFixture<SSHServer>.controller, now: "2026-01-27T14:31:00Z"
        ).path
        #expect(second != fixture.spool)

        let error = await spoolFailure(target, root: fixture.root, as: "deca0f")
        #expect(error?.code == .heldByAnother)
        #expect(
            error?.message
                == "the target is in use by me@laptop since 2026-01-27T14:30:52Z, says \(fixture.root)/lock there")
        // The lock goes with the last run's directory.
        try await target.removeSpool(fixture.spool)
        #expect(await spoolFailure(target, root: fixture.root, as: "deca0f")?.code == .heldByAnother)
        try await target.removeSpool(second)
        _ = try await target.makeSpool(
            root: fixture.root, for: ControllerIdentity(id: "deca0f", name: "you@bench"), now: "2026-01-27T15:00:00Z")
        #expect(!FileSystem.exists(fixture.spool) && !FileSystem.exists(second))
        await target.close()
    }

    @Test func aLinkOrAForeignFolderIsNoRoot() async throws {
        let fixture = try await TargetFixture(SSHServer.start())
        let link = fixture.server.scratch.path("link")
        try await Command.runSuccessfully("/bin/ln", ["-s", fixture.root, link])
        #expect(await spoolFailure(fixture.target, root: link)?.code == .notWritable)
        #expect(await spoolFailure(fixture.target, root: "/proc/none")?.code == .notWritable)
        let file = try fixture.server.scratch.write("file", "")
        #expect(await spoolFailure(fixture.target, root: file)?.message.contains(file) == true)
        await fixture.target.close()
    }

    @Test(arguments: [true, false]) func aSpoolIsReadByOffset(servesSFTP: Bool) async throws {
        let fixture = try await TargetFixture(SSHServer.start(.init(servesSFTP: servesSFTP)))
        #expect(await (fixture.target.sftp != nil) == servesSFTP)
        let bytes = testBytes(100_000)
        try FileSystem.replace("\(fixture.spool)/data", with: bytes)
        let file = await SpoolFile("\(fixture.spool)/data", on: fixture.target)
        var read: [UInt8] = []
        while true {
            let piece = try await file.read(at: Int64(read.count), count: 10_007)
            if piece.isEmpty { break }
            read += piece
        }
        #expect(read == bytes)
        // `dd` reads one block of 32 KiB at a time; what follows comes with the next read.
        #expect(try await file.read(at: 32_767, count: 2) == Array(bytes[32_767..<(servesSFTP ? 32_769 : 32_768)]))
        #expect(try await file.read(at: 200_000).isEmpty)
        #expect(try await fixture.read("none").isEmpty)
        // It grows under the reader.
        try await Command.runSuccessfully("/bin/sh", ["-c", "printf more >>\"$0\"", "\(fixture.spool)/data"])
        #expect(try await file.read(at: 100_000) == Array("more".utf8))
        await file.close()
        await fixture.target.close()
    }

    @Test func outputsAreHashedOnTheTarget() async throws {
        let fixture = try await TargetFixture(SSHServer.start())
        _ = try await fixture.run(fixture.request("printf 'abc'; printf '\\377\\n' >&2"))
        _ = try await fixture.run(fixture.request("true", job: "0002-none"))
        let hashes = try await fixture.target.outputHashes(spool: fixture.spool)
        #expect(
            Set(hashes.keys.filter { $0 != "total" }) == [
                "0001/stdout", "0001/stderr", "0002/stdout", "0002/stderr",
            ])
        #expect(hashes["0001/stdout"]?.bytes == 3)
        #expect(hashes["0001/stdout"]?.sha256 == SHA256.hexDigest(of: Array("abc".utf8)))
        #expect(hashes["0001/stderr"]?.sha256 == SHA256.hexDigest(of: [0xFF, 0x0A]))
        #expect(hashes["0002/stdout"]?.bytes == 0)
        #expect(hashes["0002/stdout"]?.sha256 == SHA256.hexDigest(of: []))
        await fixture.target.close()
    }

    @Test func commandLinesAndTheClaimsTimeAreRead() async throws {
        let fixture = try await TargetFixture(SSHServer.start())
        _ = try await fixture.run(fixture.request("true", "exit 4"))
        let lines = try await fixture.target.commandLines(of: "0001-job", in: fixture.spool)
        #expect(
            lines.map { $0.split(separator: " ").dropLast().joined(separator: " ") } == [
                "S 0", "E 0 0", "S 1", "E 1 4",
            ])
        let stat = try await Command.run("/usr/bin/stat", ["-c", "%Y", "\(fixture.spool)/0001/claim"])
        let claimed = try #require(await fixture.target.claimTime(of: "0001-job", in: fixture.spool))
        #expect(stat.outputText == "\(claimed)\n")
        await fixture.target.close()
    }
}
