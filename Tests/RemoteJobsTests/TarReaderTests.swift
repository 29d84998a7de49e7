import TestSupport
import Testing

@testable import RemoteJobs

/// Archives as real programs write them, cut anywhere, and archives that lie.
@Suite struct TarReaderTests {
    /// Names and contents.
    private func read(_ archive: [UInt8], pieces: Int) throws -> [[UInt8]: [UInt8]] {
        var reader = TarReader()
        var files: [[UInt8]: [UInt8]] = [:]
        var name: [UInt8] = []
        for start in stride(from: 0, to: archive.count, by: pieces) {
            for part in try reader.take(Array(archive[start..<min(start + pieces, archive.count)])) {
                switch part {
                case .entry(let entry) where entry.kind == .regular:
                    name = entry.name
                    files[name] = []
                case .entry: name = []
                case .content(let bytes): files[name, default: []] += bytes
                case .end: break
                }
            }
        }
        #expect(reader.isOver)
        return files
    }

    @Test(arguments: ["gnu", "posix", "ustar"]) func formatsOfGNUTarAreRead(_ format: String) async throws {
        let scratch = try ScratchDirectory()
        let long = String(repeating: "l", count: format == "ustar" ? 90 : 240)
        for name in ["a", "sub/\(long)", "sub/\(long)2/x"] { try scratch.write("t/\(name)", name) }
        try scratch.write("t/block", bytes: [UInt8](repeating: 1, count: 1024))
        let archive = try await Command.run("/bin/tar", ["-C", scratch.path("t"), "-H", format, "-cf", "-", "."]).output
        for pieces in [1, 511, 512, 513, 10_000_000] {
            let files = try read(archive, pieces: pieces)
            #expect(files.count == 4)
            #expect(files[Array("./sub/\(long)2/x".utf8)] == Array("sub/\(long)2/x".utf8))
            #expect(files[Array("./block".utf8)]?.count == 1024)
        }
    }

    @Test func whatIsNoArchiveIsRefused() {
        var reader = TarReader()
        #expect(throws: TarReader.Malformed.self) { try reader.take([UInt8](repeating: 65, count: 512)) }
    }

    /// Their lengths are those of whole records, and are given by whoever made the archive.
    @Test(arguments: ["1 x\n", "2 \n", "3 x", "99 path=a\n", "0 path=a\n", "-4 path=a\n", " path=a\n", "x"])
    func recordsOfImpossibleLengthAreNone(_ records: String) throws {
        var reader = TarReader()
        let parts = try reader.take(
            header("x", size: records.utf8.count) + padded(records) + header("0", size: 0, name: "name"))
        #expect(parts.first == .entry(TarReader.Entry(name: Array("name".utf8), kind: .regular, size: 0)))
    }

    @Test func whatIsBehindTheArchiveIsItsReaders() throws {
        var reader = TarReader()
        let zeros = [UInt8](repeating: 0, count: 512)
        #expect(try reader.take(header("0", size: 0, name: "a") + zeros).count == 2)
        #expect(!reader.isOver)
        #expect(try reader.take(zeros + Array("rest".utf8)).isEmpty)
        #expect(reader.isOver)
        #expect(reader.rest == Array("rest".utf8))
    }

    private func padded(_ text: String) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0, count: (512 - text.utf8.count % 512) % 512)
    }

    private func header(_ type: Character, size: Int, name: String = "") -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        header.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
        header[156] = type.asciiValue ?? 0
        let octal = String(size, radix: 8)
        header.replaceSubrange(
            124..<136, with: Array((String(repeating: "0", count: 11 - octal.count) + octal + "\0").utf8))
        return sealed(header)
    }

    private func sealed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let digits = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\0 ").utf8))
        return header
    }

    @Test func aNameOfGigabytesIsRefused() {
        var header = [UInt8](repeating: 0, count: 512)
        header[156] = UInt8(ascii: "L")
        header.replaceSubrange(124..<136, with: Array("77777777777\0".utf8))
        var reader = TarReader()
        #expect(throws: TarReader.Malformed.self) { try reader.take(sealed(header)) }
    }
}
