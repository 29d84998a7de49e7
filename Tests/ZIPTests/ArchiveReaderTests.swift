import Glibc
import LinuxSystem
import TestSupport
import Testing
import ZIP

@Suite struct ArchiveReaderTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func open(_ archive: RawArchive) throws -> ArchiveReader {
        try ArchiveReader(path: scratch.write("in.zip", bytes: archive.bytes))
    }

    @Test func anHonestForeignArchiveIsSafe() throws {
        var foreign = RawArchive.Entry(name: Array("WINDOWS.TXT".utf8))
        foreign.mode = 0
        let reader = try open(RawArchive(foreign, .init(name: Array("a/b".utf8))))
        #expect(reader.entries.map(\.problem) == [nil, nil])
        #expect(reader.entries.map(\.mode) == [nil, 0o644])
        #expect(try reader.read(reader.entries[1], limit: 1) == Array("x".utf8))
    }

    @Test(arguments: [
        ("/etc/passwd", "an absolute name"), ("../x", "a '..' in the name"), ("a/../../x", "a '..' in the name"),
        ("a\\..\\x", "a backslash in the name"), ("C:/x", "a drive letter in the name"), ("", "an empty name"),
        ("a//b", "an empty component in the name"), ("./a", "a '.' in the name"),
    ])
    func aHostileNameIsReported(_ name: String, _ problem: String) throws {
        let reader = try open(RawArchive(names: "good", name))
        #expect(reader.entries.map(\.name) == ["good", name])
        #expect(reader.entries.map(\.problem) == [nil, problem])
        #expect(reader.entries.map(\.isSafe) == [true, false])
    }

    @Test func namesThatCannotStandTogetherAreReported() throws {
        let reader = try open(RawArchive(names: "a", "a", "a/b", "d/x", "d", "A"))
        #expect(
            reader.entries.map(\.problem) == [
                nil, "a second entry of that name", "a name below a file", nil, "a file and a directory in one", nil,
            ])
    }

    @Test func aNameThatIsNotUTF8IsReported() throws {
        let reader = try open(RawArchive(.init(name: [0x61, 0xFF, 0x62])))
        #expect(reader.entries[0].problem == "a name that is not UTF-8")
        #expect(reader.entries[0].name == "a\u{FFFD}b")
    }

    @Test(arguments: [
        (UInt32(0o120777), "a symbolic link"), (0o010644, "a device, a pipe or a socket"),
        (0o060644, "a device, a pipe or a socket"), (0o040755, "a directory under a file's name"),
    ])
    func anEntryThatIsNoFileIsReported(_ mode: UInt32, _ problem: String) throws {
        var entry = RawArchive.Entry(name: Array("x".utf8))
        entry.mode = mode
        let reader = try open(RawArchive(entry))
        #expect(reader.entries[0].problem == problem)
        #expect(reader.entries[0].isSymlink == (mode == 0o120777))
    }

    @Test func anEncryptedEntryIsReported() throws {
        var entry = RawArchive.Entry(name: Array("secret".utf8))
        entry.flags = 1
        entry.data = [UInt8](repeating: 7, count: 40)
        let reader = try open(RawArchive(entry))
        #expect(reader.entries[0].problem == "an encrypted entry")
        let error = #expect(throws: ArchiveError.self) { try reader.read(reader.entries[0], limit: 100) }
        #expect(error?.code == .unsupported)
    }

    @Test func moreThanTheLimitIsRefusedBeforeReading() throws {
        var entry = RawArchive.Entry(name: Array("big".utf8))
        entry.data = [UInt8](repeating: 7, count: 40)
        let reader = try open(RawArchive(entry))
        let error = #expect(throws: ArchiveError.self) { try reader.read(reader.entries[0], limit: 39) }
        #expect(error?.code == .limit)
        #expect(try reader.read(reader.entries[0], limit: 40).count == 40)
    }

    @Test func anEntryThatLiesAboutItsLengthIsDamaged() throws {
        for declared: UInt32 in [3, 30] {
            var entry = RawArchive.Entry(name: Array("liar".utf8))
            entry.data = Array("ten bytes.".utf8)
            entry.declaredSize = declared
            let reader = try open(RawArchive(entry))
            let error = #expect(throws: ArchiveError.self) { try reader.read(reader.entries[0], limit: 100) }
            #expect(error?.code == .damaged)
        }
    }

    @Test func aFlippedByteIsFound() throws {
        var bytes = RawArchive(names: "name").bytes
        let data = try #require(bytes.firstIndex(of: UInt8(ascii: "x")))
        bytes[data] ^= 1
        let reader = try ArchiveReader(path: scratch.write("in.zip", bytes: bytes))
        let error = #expect(throws: ArchiveError.self) { try reader.read(reader.entries[0], limit: 100) }
        #expect(error?.code == .damaged)
    }

    @Test func aTruncatedArchiveIsRefusedAtEveryByte() throws {
        let bytes = RawArchive(names: "name", "other").bytes
        for length in 0..<bytes.count {
            let path = try scratch.write("in.zip", bytes: Array(bytes[..<length]))
            #expect(throws: ArchiveError.self) { try ArchiveReader(path: path) }
        }
    }

    @Test func whatIsNoArchiveIsSaidSo() throws {
        let text = try scratch.write("text", String(repeating: "no archive\n", count: 100))
        #expect(#expect(throws: ArchiveError.self) { try ArchiveReader(path: text) }?.code == .notAnArchive)
        let missing = #expect(throws: ArchiveError.self) { try ArchiveReader(path: scratch.path("none")) }
        #expect(missing?.code == .system)
        #expect(missing?.systemCode == ENOENT)
        #expect(#expect(throws: ArchiveError.self) { try ArchiveReader(path: scratch.path) }?.code != nil)
    }

    @Test func anEntryIsReadInPieces() throws {
        let content = testBytes(300_000)
        let path = scratch.path("pieces.zip")
        let writer = try ArchiveWriter(destination: path)
        try writer.add(name: "content", bytes: content, modificationTime: 0)
        try writer.finish()
        let reader = try ArchiveReader(path: path)
        var pieces: [[UInt8]] = []
        try reader.read(reader.entries[0]) { pieces.append(Array($0)) }
        #expect(pieces.count > 1 && pieces.allSatisfy { $0.count <= 65_536 })
        #expect(Array(pieces.joined()) == content)
        #expect(throws: SystemError.self) { try reader.read(reader.entries[0]) { _ in throw SystemError("stop") } }
    }
}
