import Glibc
import Hashing
import LinuxSystem
import SSH
import Synchronization
import TestSupport
import Testing

@testable import RemoteJobs

/// One file on its way, by every method.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TransferTests {
    private struct Bench {
        let server: SSHServer
        let target: Target
        let line: TransferLine
        let worker = Worker()
        let folder: String
        let parts: String

        init() async throws {
            let server = try await SSHServer.start()
            try await self.init(server, server.options)
        }

        init(_ server: SSHServer, _ options: SSHOptions) async throws {
            self.server = server
            target = try await Target.connect(options)
            line = try await target.transferLine(isBulk: true)
            folder = server.scratch.path("tree")
            parts = server.scratch.path("parts")
            try FileSystem.makeDirectories(folder)
            try FileSystem.makeDirectories(parts)
        }

        func file(_ name: String) async throws -> RemoteFile {
            try #require(try await line.expand(globLiteral("\(folder)/\(name)"), base: nil).files.first)
        }

        func part(_ name: String) -> String { "\(parts)/\(name)" }

        func fetch(
            _ file: RemoteFile, _ method: TransferMethod, _ part: String,
            progress: @escaping @Sendable (Int64) -> Void = { _ in }
        ) async throws -> ReceivedFile {
            try await FileTransfer(over: line, by: method, worker: worker).fetch(
                file, to: self.part(part), progress: progress)
        }

        /// - Parameter pieces: files that are taken out together.
        /// - Returns: what has come, by the files' places.
        func fetchArchive(
            _ files: [RemoteFile], pieces: Int = 1000, to part: @Sendable (RemoteFile) -> String
        ) async throws -> [Int: ArchiveTransfer.Arrived] {
            let archive = try await ArchiveTransfer(files, over: line, worker: worker, to: files.map(part))
            var all: [Int: ArchiveTransfer.Arrived] = [:]
            while case let arrived = try await archive.next(files: pieces, bytes: 1 << 20), !arrived.isEmpty {
                for one in arrived { #expect(all.updateValue(one, forKey: one.place) == nil) }
            }
            await archive.close()
            return all
        }
    }

    private static let singles: [TransferMethod] = [.sftp, .exec, .scp]

    @Test(arguments: singles) func fiveMegabytesArriveAsTheyAre(_ method: TransferMethod) async throws {
        let bench = try await Bench()
        let bytes = testBytes(5_000_001)
        try bench.server.scratch.write("tree/big ' name", bytes: bytes, mode: 0o755)
        let received = try await bench.fetch(try await bench.file("big ' name"), method, "p")
        #expect(received.size == 5_000_001)
        #expect(received.sha256 == SHA256.hexDigest(of: bytes))
        #expect(received.resumedAt == 0 && received.change == nil)
        #expect(try FileSystem.read(received.part) == bytes)
        await bench.target.close()
    }

    @Test(arguments: singles) func emptyFilesAndFilesOfTheKernelArrive(_ method: TransferMethod) async throws {
        let bench = try await Bench()
        try bench.server.scratch.write("tree/empty", "")
        #expect(try await bench.fetch(try await bench.file("empty"), method, "e").size == 0)
        if method != .scp {
            let version = try #require(try await bench.line.expand("/proc/version", base: nil).files.first)
            let received = try await bench.fetch(version, method, "v")
            #expect(try FileSystem.read(received.part) == FileSystem.read("/proc/version"))
        }
        await bench.target.close()
    }

    @Test(arguments: [TransferMethod.sftp, .exec]) func aCutTransferGoesOnWhereItWas(_ method: TransferMethod)
        async throws
    {
        let bench = try await Bench()
        let bytes = testBytes(1_000_000)
        try bench.server.scratch.write("tree/f", bytes: bytes)
        try bench.server.scratch.write("parts/p", bytes: Array(bytes.prefix(700_000)))
        let received = try await bench.fetch(try await bench.file("f"), method, "p")
        #expect(received.resumedAt == 700_000 / 65_536 * 65_536)
        #expect(try FileSystem.read(received.part) == bytes)
        await bench.target.close()
    }

    @Test(arguments: singles) func whatIsNotTheFilesBeginningIsFetchedAnew(_ method: TransferMethod) async throws {
        let bench = try await Bench()
        let bytes = testBytes(1_000_000)
        try bench.server.scratch.write("tree/f", bytes: bytes)
        for (name, before) in [("other", [UInt8](repeating: 7, count: 700_000)), ("longer", bytes + bytes)] {
            try bench.server.scratch.write("parts/\(name)", bytes: before)
            let received = try await bench.fetch(try await bench.file("f"), method, name)
            #expect(received.resumedAt == 0)
            #expect(try FileSystem.read(received.part) == bytes)
        }
        await bench.target.close()
    }

    @Test(.enabled(if: TestUser.isAvailable, "needs root"), arguments: singles)
    func aFileThatMayNotBeReadIsSaidSo(_ method: TransferMethod) async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(extraLines: ["AuthorizedKeysFile \(user.home)/.ssh/authorized_keys"]))
            try await user.write(
                ".ssh/authorized_keys",
                try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-y", "-f", server.clientKey]).outputText)
            try await user.write("f", "text")
            chmod("\(user.home)/f", 0)
            var options = server.options
            options.user = user.name
            let bench = try await Bench(server, options)
            let file = try #require(try await bench.line.expand("f", base: nil).files.first)
            let failure = await #expect(throws: TransferFailure.self) { try await bench.fetch(file, method, "p") }
            #expect(failure?.reason == "permission denied" && failure?.isDenied == true, "\(failure?.reason ?? "")")
            await bench.target.close()
        }
    }

    @Test(arguments: singles) func aFileThatVanishedIsSaidSo(_ method: TransferMethod) async throws {
        let bench = try await Bench()
        try bench.server.scratch.write("tree/f", "text")
        let file = try await bench.file("f")
        try await Command.runSuccessfully("/bin/rm", ["\(bench.folder)/f"])
        let failure = await #expect(throws: TransferFailure.self) { try await bench.fetch(file, method, "p") }
        #expect(failure?.reason == "no such file")
        await bench.target.close()
    }

    enum Fate: CaseIterable, Sendable {
        case grows, shrinks, isRewritten, isReplaced, vanishes, isLeftAlone

        /// - Parameters:
        ///   - path: of a file of 24 MB.
        ///   - other: takes its place.
        func befall(_ path: String, other: String) throws {
            switch self {
            case .grows: try File(path: path, O_WRONLY).write([1, 2, 3], at: 24_000_000)
            case .shrinks: try File(path: path, O_WRONLY).truncate(to: 18_000_000)
            case .isRewritten: try File(path: path, O_WRONLY).write([1, 2, 3], at: 23_999_997)
            case .isReplaced: rename(other, path)
            case .vanishes: unlink(path)
            // Neither its content nor its name.
            case .isLeftAlone: chmod(path, 0o640)
            }
        }
    }

    /// Before half of it has come: no buffer holds so much.
    @Test(arguments: singles, Fate.allCases)
    func whatBecomesOfAFileWhileItIsReadIsSeen(_ method: TransferMethod, _ fate: Fate) async throws {
        let bench = try await Bench()
        let bytes = testBytes(24_000_000)
        let path = try bench.server.scratch.write("tree/f", bytes: bytes)
        let other = try bench.server.scratch.write("tree/other", bytes: [1])
        try await Command.runSuccessfully("/usr/bin/touch", ["-d", "2001-01-01", path])
        // What is read by a link's name is what the link stands for.
        try await Command.runSuccessfully("/bin/ln", ["-s", "f", "\(bench.folder)/link"])
        let file = try await bench.file(fate == .isLeftAlone ? "link" : "f")
        let isOver = Mutex(false)
        let received = try await bench.fetch(file, method, "p") { _ in
            isOver.withLock {
                if $0 { return }
                $0 = true
                do { try fate.befall(path, other: other) } catch { Issue.record(error) }
            }
        }
        let changes: [FileChange?] = [.grown, .rewritten, .rewritten, .replaced, .removed, nil]
        #expect(received.change == zip(Fate.allCases, changes).first { $0.0 == fate }?.1)
        let content = try FileSystem.read(received.part)
        #expect(content.count == received.size && SHA256.hexDigest(of: content) == received.sha256)
        #expect(Array(content.prefix(18_000_000)) == Array(bytes.prefix(18_000_000)))
        switch fate {
        case .shrinks: #expect(content.count == 18_000_000)
        case .isRewritten: #expect(content.count == 24_000_000)
        default: #expect(content == bytes)
        }
        await bench.target.close()
    }

    /// Targets tell of files in several ways.
    @Test(arguments: [TransferTools.Status.fine, .plain, .missing])
    func theLookBehindAScriptSaysWhatIsThere(_ status: TransferTools.Status) async throws {
        let bench = try await Bench()
        let name = "a 'b\nc"
        let path = Array(try bench.server.scratch.write("tree/\(name)", "text").utf8)
        try await Command.runSuccessfully("/usr/bin/touch", ["-d", "2001-01-01", "\(bench.folder)/\(name)"])
        let file = try await bench.file(name)
        func look() async throws -> FileLook {
            let script = try await bench.line.start(
                Array("echo 'dd: x' >&2; false".utf8) + FileLook.script(path, status))
            defer { Task { await script.close() } }
            await script.endInput()
            _ = try await script.readAll()
            #expect(await script.hasFailed(with: 1))
            let look = FileLook(await script.errorLines)
            #expect(look.complaints == ["dd: x"])
            return look
        }
        let same = try await look()
        #expect(same.name(of: file)?.size == 4)
        #expect(same.change(of: file) == nil)
        try bench.server.scratch.write("tree/\(name)", "text, and more")
        #expect(try await look().change(of: file) == .grown)
        unlink("\(bench.folder)/\(name)")
        #expect(try await look().change(of: file) == .removed)
        #expect(FileLook(["dd: x"]).change(of: file) == nil)
        await bench.target.close()
    }

    @Test(arguments: [TransferMethod.sftp, .exec]) func aFileThatGrowsIsTakenAsLongAsItWas(_ method: TransferMethod)
        async throws
    {
        let bench = try await Bench()
        let bytes = testBytes(300_000)
        try bench.server.scratch.write("tree/log", bytes: bytes)
        let file = try await bench.file("log")
        try bench.server.scratch.write("tree/log", bytes: bytes + bytes)
        let received = try await bench.fetch(file, method, "p")
        #expect(try FileSystem.read(received.part) == bytes)
        let hashes = await RemoteHashes(over: bench.line)
        #expect(try await hashes.hash(of: file.path, first: received.size) == received.sha256)
        await bench.target.close()
    }

    @Test func holesStayHoles() async throws {
        let bench = try await Bench()
        try await Command.runSuccessfully("/usr/bin/truncate", ["-s", "64M", "\(bench.folder)/sparse"])
        let received = try await bench.fetch(try await bench.file("sparse"), .sftp, "p")
        #expect(received.size == 64 << 20)
        let blocks = try await Command.run("/usr/bin/stat", ["-c", "%b", received.part]).outputText
        #expect((Int(blocks.dropLast()) ?? .max) < 1024)
        await bench.target.close()
    }

    @Test func anArchiveBringsManyFilesOfAnyName() async throws {
        let bench = try await Bench()
        var contents: [[UInt8]: [UInt8]] = [:]
        let long = String(repeating: "l", count: 255)
        for name in ["plain", " two  words", "line\nbreak", "-rf", "*", long, "empty", "sub/\(long)/\(long)"] {
            let bytes = name == "empty" ? [] : testBytes(10_000 + name.utf8.count)
            try bench.server.scratch.write("tree/\(name)", bytes: bytes)
            contents[Array(name.utf8)] = bytes
        }
        try await Command.runSuccessfully(
            "/bin/sh", ["-c", "cd \"$0\"; echo raw >$(printf 'n\\377\\033.raw'); ln plain hard", bench.folder])
        contents[Array("n".utf8) + [0xFF, 0x1B] + Array(".raw".utf8)] = Array("raw\n".utf8)
        contents[Array("hard".utf8)] = contents[Array("plain".utf8)]
        let files = try await bench.line.expand(bench.folder, base: nil).files
        let places = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1.path, "\(bench.parts)/\($0)") })
        let received = try await bench.fetchArchive(files) { places[$0.path] ?? "" }
        #expect(received.count == contents.count)
        let hashes = try await RemoteHashes(over: bench.line).hashes(of: files.map(\.path))
        for (place, file) in files.enumerated() {
            let part = try #require(received[place])
            #expect(try FileSystem.read(part.file.part) == contents[file.relative])
            #expect(hashes[file.path] == part.file.sha256)
            #expect(part.remoteSHA256 == part.file.sha256)
        }
        try await Command.runSuccessfully("/bin/sh", ["-c", "rm \"$0\"/*.raw", bench.folder])
        await bench.target.close()
    }

    @Test func whatAnArchiveCannotBringIsLeftOut() async throws {
        let bench = try await Bench()
        for name in ["a", "gone", "b"] { try bench.server.scratch.write("tree/\(name)", name) }
        let files = try await bench.line.expand(bench.folder, base: nil).files
        try await Command.runSuccessfully("/bin/rm", ["\(bench.folder)/gone"])
        let received = try await bench.fetchArchive(files) { bench.part(String(decoding: $0.relative, as: UTF8.self)) }
        #expect(received.keys.sorted() == [0, 1])
        await bench.target.close()
    }

    /// More files than a batch has, of which some are gone by now.
    @Test func anArchiveOfManyBatchesIsWhole() async throws {
        let bench = try await Bench()
        try await Command.runSuccessfully(
            "/bin/sh", ["-c", "cd \"$0\"; seq 1 2500 | while read i; do echo \"content $i\" >$i; done", bench.folder])
        let files = try await bench.line.expand(bench.folder, base: nil).files
        try await Command.runSuccessfully("/bin/sh", ["-c", "cd \"$0\"; rm 1?? 2400", bench.folder])
        let received = try await bench.fetchArchive(files, pieces: 3) {
            bench.part(String(decoding: $0.relative, as: UTF8.self))
        }
        #expect(received.count == 2500 - 101)
        for (place, file) in files.enumerated() {
            guard let part = received[place] else { continue }
            let content = "content \(String(decoding: file.relative, as: UTF8.self))\n"
            #expect(try FileSystem.read(part.file.part) == Array(content.utf8))
            #expect(part.file.sha256 == part.remoteSHA256)
        }
        await bench.target.close()
    }

    @Test func muchGoesOverASessionOfItsOwn() async throws {
        let bench = try await Bench()
        #expect(bench.line.session !== bench.target.session)
        #expect(try await bench.target.transferLine(isBulk: true).session === bench.line.session)
        await bench.target.closeBulkLine()
        #expect(try await bench.target.transferLine(isBulk: false).session === bench.target.session)
        await bench.target.close()
    }

    /// Its neighbour's error is none of a transfer's.
    @Test func aSessionIsLeftOnlyByThoseWhomItFails() async throws {
        let bench = try await Bench()
        let line = bench.line
        let script = try await line.start(Array("cat; echo end".utf8))
        #expect(try await bench.target.transferLine(isBulk: true) === line)
        await line.sftp?.close()
        // The next transfer has another session, and all that follow have the same one.
        let next = try await bench.target.transferLine(isBulk: true)
        #expect(next !== line && next.session !== line.session)
        #expect(try await bench.target.transferLine(isBulk: true) === next)
        // What goes over the old one goes on.
        try await script.write(Array("still ".utf8))
        await script.endInput()
        #expect(try await script.readAll() == Array("still end\n".utf8))
        await script.close()
        #expect(await line.session.isConnected)
        await bench.target.close()
    }

    @Test func aSessionThatNobodyUsesAnyMoreIsClosed() async throws {
        let server = try await SSHServer.start()
        let target = try await Target.connect(server.options)
        var line: TransferLine? = try await target.transferLine(isBulk: true)
        let session = try #require(line?.session)
        await line?.sftp?.close()
        _ = try await target.transferLine(isBulk: true)
        #expect(await session.isConnected)
        line = nil
        _ = await session.waitUntilLost()
        await target.close()
    }

    @Test func muchIsEncryptedByWhatBothProcessorsAreGoodAt() async throws {
        let server = try await SSHServer.start()
        let target = try await Target.connect(server.options)
        let line = try await target.transferLine(isBulk: true)
        // The target is this machine.
        #expect(line.tools.hasAES == Host.hasAES)
        let usual = target.session.algorithms.cipher
        #expect(line.session.algorithms.cipher == (Host.hasAES ? "aes256-gcm@openssh.com" : usual))
        await target.close()

        var options = server.options
        options.algorithms.ciphers = "aes128-ctr"
        let other = try await Target.connect(options)
        #expect(try await other.transferLine(isBulk: true).session.algorithms.cipher == "aes128-ctr")
        await other.close()
    }

    @Test func aServerOfOneChannelGivesASecondConnection() async throws {
        let server = try await SSHServer.start(.init(maxSessions: 1))
        let target = try await Target.connect(server.options)
        let line = try await target.transferLine(isBulk: false)
        #expect(line.session !== target.session)
        #expect(line.tools.canList && line.tools.canHash)
        await target.close()
    }
}
