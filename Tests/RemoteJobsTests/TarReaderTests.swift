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
        #expect(reader.isComplete)
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

    @Test func aNameOfGigabytesIsRefused() {
        var header = [UInt8](repeating: 0, count: 512)
        header[156] = UInt8(ascii: "L")
        header.replaceSubrange(124..<136, with: Array("77777777777\0".utf8))
        header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let sum = header.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\0 ").utf8))
        var reader = TarReader()
        #expect(throws: TarReader.Malformed.self) { try reader.take(header) }
    }
}
