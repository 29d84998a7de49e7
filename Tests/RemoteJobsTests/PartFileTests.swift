import Hashing
import LinuxSystem
import TestSupport
import Testing

@testable import RemoteJobs

/// Large files go past the page cache, where the file system can, in pieces of any size.
@Suite struct PartFileTests {
    private static let large: Int64 = 1 << 40

    private func append(_ bytes: ArraySlice<UInt8>, to file: PartFile, pieces: Int) throws {
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: pieces) {
            try file.append(Array(bytes[start..<min(start + pieces, bytes.endIndex)]))
        }
    }

    /// On a disk and in memory.
    @Test(arguments: ["/var/tmp", "/dev/shm"], [1000, 32 << 10, 5_000_000])
    func piecesOfAnySizeMakeTheFile(_ place: String, _ pieces: Int) throws {
        let path = "\(place)/ecr-part-\(Host.randomHex(8))"
        defer { try? FileSystem.removeTree(path) }
        let bytes = testBytes(7_000_001)
        let file = try PartFile(resuming: path, block: 64 << 10, expected: Self.large)
        try append(bytes[...], to: file, pieces: pieces)
        #expect(file.size == 7_000_001)
        try file.finish(isExecutable: false, isSynced: true)
        #expect(try FileSystem.read(path) == bytes)
        #expect(file.sha256 == SHA256.hexDigest(of: bytes))
    }

    @Test func whatWasCutIsTakenUpWithAllThatHadCome() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("part")
        let bytes = testBytes(4_000_000)
        let first = try PartFile(resuming: path, block: 64 << 10, expected: Self.large)
        try append(bytes[..<2_500_000], to: first, pieces: 40_000)
        try first.flush()
        #expect(try FileSystem.read(path) == Array(bytes[..<2_500_000]))

        let second = try PartFile(resuming: path, block: 64 << 10, expected: Self.large)
        let start = 2_500_000 / 65_536 * 65_536
        #expect(second.size == Int64(start))
        try append(bytes[start...], to: second, pieces: 40_000)
        try second.finish(isExecutable: true, isSynced: true)
        #expect(try FileSystem.read(path) == bytes)
        #expect(second.sha256 == SHA256.hexDigest(of: bytes))
    }

    /// - Parameter expected: whether it goes past the page cache.
    @Test(arguments: [0, 1 << 40] as [Int64]) func zerosAtTheEndOfWhatWasCutAreTakenUp(_ expected: Int64) throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("part")
        let first = try PartFile(resuming: path, block: 64 << 10, expected: expected)
        for _ in 0..<8 { try first.append([UInt8](repeating: 0, count: 250_000)) }
        try first.flush()
        let second = try PartFile(resuming: path, block: 64 << 10, expected: expected)
        #expect(second.size == Int64(2_000_000 / 65_536 * 65_536))
        try second.append([1])
        try second.finish(isExecutable: false, isSynced: false)
        #expect(try FileSystem.read(path) == [UInt8](repeating: 0, count: Int(second.size) - 1) + [1])
    }

    /// - Parameter rest: behind whole blocks.
    @Test(arguments: [0, 1 << 40] as [Int64], [0, 1, 5000]) func zerosAtTheEndBelongToTheFile(
        _ expected: Int64, _ rest: Int
    ) throws {
        let scratch = try ScratchDirectory()
        let bytes = testBytes(1 << 20) + [UInt8](repeating: 0, count: 3 << 20 + rest)
        let file = try PartFile(resuming: scratch.path("part"), block: 64 << 10, expected: expected)
        try append(bytes[...], to: file, pieces: 1 << 20)
        try file.finish(isExecutable: false, isSynced: false)
        #expect(try FileSystem.read(scratch.path("part")) == bytes)
    }

    @Test func whatComesAfterAFlushIsWrittenToo() throws {
        let scratch = try ScratchDirectory()
        let bytes = testBytes(2_000_000)
        let file = try PartFile(resuming: scratch.path("part"), block: 64 << 10, expected: Self.large)
        try file.append(Array(bytes[..<1_500_001]))
        try file.flush()
        try file.append(Array(bytes[1_500_001...]))
        try file.finish(isExecutable: false, isSynced: false)
        #expect(try FileSystem.read(scratch.path("part")) == bytes)
    }

    @Test func whatIsThrownAwayLeavesNothing() throws {
        let scratch = try ScratchDirectory()
        let file = try PartFile(resuming: scratch.path("part"), block: 64 << 10, expected: Self.large)
        try file.append(testBytes(1_500_000))
        try file.restart()
        try file.append(Array("anew".utf8))
        try file.finish(isExecutable: false, isSynced: false)
        #expect(try FileSystem.read(scratch.path("part")) == Array("anew".utf8))
        #expect(file.sha256 == SHA256.hexDigest(of: Array("anew".utf8)))
    }
}
