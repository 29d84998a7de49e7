import Glibc
import LinuxSystem
import SSH
import Synchronization
import TestSupport
import Testing

/// Files on a real server.
@Suite(.timeLimit(.minutes(2))) struct SFTPTests {
    private func client(_ server: SSHServer, window: Int? = nil) async throws -> SFTPClient {
        try await SSHSession.connect(server.options).openSFTP(window: window)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func aFileIsReadAtOffsetsToItsEnd() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        let path = bytes(try server.scratch.write("file", "0123456789"))
        let file = try await sftp.open(path)
        #expect(try await sftp.read(file, offset: 0) == bytes("0123456789"))
        #expect(try await sftp.read(file, offset: 4, count: 3) == bytes("456"))
        #expect(try await sftp.read(file, offset: 10) == [])
        #expect(try await sftp.stat(path).size == 10)
        try await sftp.close(file)
        #expect(try await sftp.stat(path).isRegular)
        #expect(try await sftp.stat(path).permissions.map { $0 & 0o777 } == 0o600)
    }

    @Test func whatIsMissingHasStatus2AndItsPath() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        let path = bytes(server.scratch.path("missing"))
        for call in [{ _ = try await sftp.stat(path) }, { _ = try await sftp.open(path) }] {
            let error = await #expect(throws: SSHError.self) { try await call() }
            #expect(error?.code == .sftp(2))
            #expect(error?.message.contains(server.scratch.path("missing")) == true)
        }
        #expect(try await sftp.list(bytes(server.scratch.path)).isEmpty == false)
    }

    @Test func hostileNamesComeAsTheyAre() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        let directory = server.scratch.path("names")
        try FileSystem.makeDirectory(directory)
        let names: [[UInt8]] = [
            bytes("a b"), bytes("line\nbreak"), bytes("-rf"), bytes("\u{1B}[31m"), [0xFF, 0xFE], bytes("ü"),
            bytes("..x"), [0x5C],
        ]
        for name in names {
            let path = bytes(directory + "/") + name
            let file = try await sftp.open(path, [.write, .create, .exclusive])
            try await sftp.close(file)
        }
        let entries = try await sftp.list(bytes(directory))
        #expect(Set(entries.map(\.name)) == Set(names))
        for entry in entries { #expect(entry.attributes.isRegular) }
    }

    @Test func aLargeDirectoryIsListedWhole() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        for number in 0..<500 { try server.scratch.write("many/file-\(number)", "") }
        #expect(try await sftp.list(bytes(server.scratch.path("many"))).count == 500)
    }

    /// By small requests, and for much data by such as the server takes.
    @Test(arguments: [nil, 4 << 20]) func twentyMegabytesAreDownloadedInOrder(_ window: Int?) async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server, window: window)
        let content = testBytes(20_000_001)
        let file = try await sftp.open(bytes(try server.scratch.write("large", bytes: content)))
        for start in [0, 12_345_678] {
            let received = Mutex<[UInt8]>([])
            try await sftp.download(file, from: UInt64(start)) { pieces in
                received.withLock { for piece in pieces { $0 += piece } }
            }
            #expect(received.withLock { $0 } == Array(content[start...]))
        }
        #expect(await (sftp.limits.read > SFTPLimits.block) == (window != nil))
        try await sftp.close(file)
    }

    @Test func aSinkThatThrowsEndsTheDownloadOnly() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        let content = [UInt8](repeating: 7, count: 3_000_000)
        let file = try await sftp.open(bytes(try server.scratch.write("large", bytes: content)))
        await #expect(throws: CancellationError.self) {
            try await sftp.download(file) { _ in throw CancellationError() }
        }
        #expect(try await sftp.read(file, offset: 2_999_999) == [7])
    }

    @Test(arguments: [nil, 4 << 20]) func aFileIsWrittenFromAnOffsetOn(_ window: Int?) async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server, window: window)
        let content = testBytes(9_000_000)
        let path = server.scratch.path("new")
        let halves = [content[..<1_000_001], content[1_000_001...]]
        for (half, mode) in zip(halves, [[.write, .create, .truncate], .write] as [SFTPOpenMode]) {
            let file = try await sftp.open(bytes(path), mode, permissions: 0o640)
            let pieces = Mutex([Array(half), nil])
            try await sftp.upload(file, from: UInt64(half.startIndex)) { pieces.withLock { $0.removeFirst() } }
            try await sftp.close(file)
        }
        #expect(try FileSystem.read(path) == content)
    }

    @Test func linksAndDirectoriesAreToldApart() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        let link = server.scratch.path("link")
        #expect(symlink("some/where", link) == 0)
        let entry = try await sftp.list(bytes(server.scratch.path)).first { $0.name == bytes("link") }
        #expect(entry?.attributes.isSymlink == true)
        #expect(try await sftp.stat(bytes(server.scratch.path)).isDirectory)
        #expect(try await sftp.realpath(bytes(server.scratch.path + "/./")) == bytes(server.scratch.path))
    }

    @Test func manyRequestsAreAnsweredEachToItsOwner() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        for number in 0..<40 { try server.scratch.write("f\(number)", "content \(number)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let file = try await sftp.open(Array(server.scratch.path("f\(number)").utf8))
                    #expect(try await sftp.read(file, offset: 0) == Array("content \(number)".utf8))
                    try await sftp.close(file)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aServerWithoutTheSubsystemRefuses() async throws {
        let server = try await SSHServer.start(.init(servesSFTP: false))
        let session = try await SSHSession.connect(server.options)
        let error = await #expect(throws: SSHError.self) { try await session.openSFTP() }
        #expect(error?.code == .channelRefused)
        #expect(try await session.run("echo fine").outputText == "fine\n")
        await session.close()
    }

    @Test func aClosedClientAnswersNothing() async throws {
        let server = try await SSHServer.start()
        let sftp = try await client(server)
        await sftp.close()
        let error = await #expect(throws: SSHError.self) { try await sftp.stat(bytes("/")) }
        #expect(error?.code == .closed)
    }
}
