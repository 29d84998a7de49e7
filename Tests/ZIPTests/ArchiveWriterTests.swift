import Glibc
import LinuxSystem
import TestSupport
import Testing
import ZIP

@Suite struct ArchiveWriterTests {
    let scratch: ScratchDirectory
    let destination: String

    init() throws {
        scratch = try ScratchDirectory()
        destination = scratch.path("out.zip")
    }

    private func add(_ name: String, to writer: ArchiveWriter) throws(ArchiveError) {
        try writer.add(name: name, bytes: [1], modificationTime: 0)
    }

    private func expectOnly(_ names: [String]) throws {
        #expect(try FileSystem.list(scratch.path) == names.sorted())
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let text = String(repeating: "sample,1.5\n", count: 20_000)
        let source = try scratch.write("rows.csv", text)
        var times = [timespec(tv_sec: 1_769_524_253, tv_nsec: 0), timespec(tv_sec: 1_769_524_253, tv_nsec: 0)]
        utimensat(AT_FDCWD, source, &times, 0)
        let writer = try ArchiveWriter(destination: destination)
        try writer.addDirectory("logs", modificationTime: 1_600_000_001)
        try writer.add(name: "logs/rows.csv", path: source)
        try writer.add(name: "tool.sh", path: source, isExecutable: true)
        try writer.add(name: "größe ☃.json", bytes: Array("{}".utf8), modificationTime: 1_600_000_003)
        try writer.add(name: "empty", bytes: [], modificationTime: 0)
        try writer.finish()

        let reader = try ArchiveReader(path: destination)
        let names = reader.entries.map(\.name)
        #expect(names == ["logs/", "logs/rows.csv", "tool.sh", "größe ☃.json", "empty"])
        #expect(reader.entries.allSatisfy { $0.isSafe && !$0.isSymlink })
        #expect(reader.entries.map(\.isDirectory) == [true, false, false, false, false])
        #expect(reader.entries.map(\.mode) == [0o755, 0o644, 0o755, 0o644, 0o644])
        #expect(
            reader.entries.map(\.modificationTime)
                == [1_600_000_001, 1_769_524_253, 1_769_524_253, 1_600_000_003, 0])
        let rows = try #require(reader.entry(named: "logs/rows.csv"))
        #expect(rows.size == Int64(text.utf8.count))
        #expect(rows.compressedSize < rows.size / 10)
        #expect(try reader.read(rows, limit: rows.size) == Array(text.utf8))
        #expect(try reader.read(try #require(reader.entry(named: "empty")), limit: 0) == [])
        try expectOnly(["out.zip", "rows.csv"])
    }

    @Test func compressedFormatsAreStored() throws {
        let zeros = [UInt8](repeating: 0, count: 10_000)
        let writer = try ArchiveWriter(destination: destination)
        for name in ["a.zip", "a.tar.GZ", "a.png", "a.jpg", "a.mp4", "a.xz", "a.zst", "a.log"] {
            try writer.add(name: name, bytes: zeros, modificationTime: 0)
        }
        try writer.add(name: "forced", bytes: zeros, modificationTime: 0, compression: .stored)
        try writer.add(name: "forced.gz", bytes: zeros, modificationTime: 0, compression: .deflate)
        try writer.finish()
        let reader = try ArchiveReader(path: destination)
        let small = reader.entries.filter { $0.compressedSize < $0.size }.map(\.name)
        #expect(small == ["a.log", "forced.gz"])
    }

    @Test(.enabled(if: Command.find("unzip") != nil)) func unzipAgrees() async throws {
        let writer = try ArchiveWriter(destination: destination)
        try writer.add(name: "a/größe.txt", bytes: Array("hello\n".utf8), modificationTime: 1_600_000_000)
        try writer.add(name: "b.gz", path: scratch.write("b", "stored"))
        try writer.finish()
        let unzip = try #require(Command.find("unzip"))
        try await Command.runSuccessfully(unzip, ["-t", destination])
        let piped = try await Command.runSuccessfully(unzip, ["-p", destination, "a/*"])
        #expect(piped.outputText == "hello\n")
    }

    @Test(.enabled(if: Command.find("python3") != nil)) func pythonAgrees() async throws {
        let writer = try ArchiveWriter(destination: destination)
        try writer.addDirectory("d", modificationTime: 0)
        try writer.add(name: "größe.txt", bytes: Array("hello".utf8), modificationTime: 1_600_000_000)
        try writer.finish()
        let script = """
            import sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            assert z.testzip() is None
            for i in z.infolist(): print(ascii(i.filename), i.is_dir(), oct(i.external_attr >> 16), i.file_size)
            """
        let result = try await Command.runSuccessfully(
            try #require(Command.find("python3")), ["-c", script, destination])
        #expect(result.outputText == "'d/' True 0o40755 0\n'gr\\xf6\\xdfe.txt' False 0o100644 5\n")
    }

    @Test(arguments: [
        "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "./a", "a/./b", "a//b", "a\\b", "a\0b", "C:/x",
        "c:", "a//", String(repeating: "n", count: 65_536),
    ])
    func aHostileNameIsRefused(_ name: String) throws {
        let writer = try ArchiveWriter(destination: destination)
        let error = #expect(throws: ArchiveError.self) { try add(name, to: writer) }
        #expect(error?.code == .name)
        let source = try scratch.write("source", "x")
        #expect(throws: ArchiveError.self) { try writer.add(name: name, path: source) }
        #expect(throws: ArchiveError.self) { try writer.addDirectory(name, modificationTime: 0) }
    }

    @Test(arguments: ["...", "a b", "-rf", "..a", "a..", "é", "a:b", ".hidden", "a/b/c/d", "x'\"$(y)"])
    func anOddButHonestNameIsTaken(_ name: String) throws {
        let writer = try ArchiveWriter(destination: destination)
        try add(name, to: writer)
        try writer.finish()
        #expect(try ArchiveReader(path: destination).entries.map(\.name) == [name])
    }

    @Test func namesThatCannotStandTogetherAreRefused() throws {
        let writer = try ArchiveWriter(destination: destination)
        try add("a", to: writer)
        try add("d/b", to: writer)
        try writer.addDirectory("d", modificationTime: 0)
        for name in ["a", "a/b", "d"] {
            let error = #expect(throws: ArchiveError.self) { try add(name, to: writer) }
            #expect(error?.code == .name)
        }
        for name in ["d/", "a", "a/x"] {
            #expect(throws: ArchiveError.self) { try writer.addDirectory(name, modificationTime: 0) }
        }
        try add("A", to: writer)
        // Two spellings that Swift's == takes for one, and Linux for two.
        try add("e\u{301}", to: writer)
        try add("\u{e9}", to: writer)
        try writer.finish()
        #expect(try ArchiveReader(path: destination).entries.allSatisfy(\.isSafe))
    }

    @Test func aGrowingFileIsASnapshot() throws {
        let path = try scratch.write("events.jsonl", "first\nsecond\n")
        let writer = try ArchiveWriter(destination: destination)
        try writer.add(name: "events.jsonl", path: path, length: 6)
        try writer.add(name: "all.jsonl", path: path)
        try File(path: path, O_WRONLY | O_APPEND).write(Array("third\n".utf8))
        try writer.finish()
        let reader = try ArchiveReader(path: destination)
        #expect(try reader.read(reader.entries[0], limit: 100) == Array("first\n".utf8))
        #expect(try reader.read(reader.entries[1], limit: 100) == Array("first\nsecond\n".utf8))
    }

    @Test func anEmptyArchiveIsAnArchive() throws {
        try ArchiveWriter(destination: destination).finish()
        #expect(try ArchiveReader(path: destination).entries.isEmpty)
        #expect(try FileSystem.read(destination).count == 22)
        try expectOnly(["out.zip"])
    }

    @Test func aNewArchiveReplacesTheOldOne() throws {
        for name in ["old", "new"] {
            let writer = try ArchiveWriter(destination: destination)
            try add(name, to: writer)
            try writer.finish()
        }
        #expect(try ArchiveReader(path: destination).entries.map(\.name) == ["new"])
    }

    @Test func thousandsOfSmallFilesNeedFewDescriptors() throws {
        let writer = try ArchiveWriter(destination: destination)
        for number in 0..<10_000 {
            try writer.add(name: "n/\(number)", path: scratch.write("files/\(number)", "content \(number)"))
        }
        var fractions: [Double] = []
        try writer.finish(progress: { fractions.append($0) })
        #expect(fractions == fractions.sorted() && fractions.last == 1)
        let reader = try ArchiveReader(path: destination)
        #expect(reader.entries.count == 10_000)
        let last = try #require(reader.entry(named: "n/9999"))
        #expect(try reader.read(last, limit: 100) == Array("content 9999".utf8))
    }

    @Test func moreEntriesThan16BitsCountNeedZIP64() throws {
        let writer = try ArchiveWriter(destination: destination)
        for number in 0..<66_000 { try add("\(number)", to: writer) }
        try writer.finish()
        #expect(try ArchiveReader(path: destination).entries.count == 66_000)
    }
}
