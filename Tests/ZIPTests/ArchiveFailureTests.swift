import Glibc
import LinuxSystem
import TestSupport
import Testing
import ZIP

/// An archive is in its place completely or not at all.
@Suite struct ArchiveFailureTests {
    let scratch: ScratchDirectory
    let destination: String
    let source: String

    init() throws {
        scratch = try ScratchDirectory()
        destination = try scratch.write("out.zip", "the old archive")
        source = try scratch.write("source", "0123456789")
    }

    private func writer() throws -> ArchiveWriter {
        let writer = try ArchiveWriter(destination: destination)
        try writer.add(name: "good", bytes: Array("good".utf8), modificationTime: 0)
        try writer.add(name: "source", path: source)
        return writer
    }

    /// The old archive is untouched, and nothing lies beside it.
    private func expectNothingHappened(_ others: [String] = ["source"]) throws {
        #expect(try scratch.read("out.zip") == "the old archive")
        #expect(try FileSystem.list(scratch.path) == (["out.zip"] + others).sorted())
    }

    private func expectSourceFailure(_ writer: ArchiveWriter, _ message: String) {
        let error = #expect(throws: ArchiveError.self) { try writer.finish() }
        #expect(error?.code == .source)
        #expect(error?.description == "\(source): \(message)")
    }

    @Test func aVanishedSourceIsNamed() throws {
        let writer = try writer()
        unlink(source)
        expectSourceFailure(writer, "No such file or directory")
        try expectNothingHappened([])
    }

    @Test func aShrunkSourceIsNamed() throws {
        let writer = try writer()
        truncate(source, 4)
        expectSourceFailure(writer, "became shorter than 10 bytes")
        try expectNothingHappened()
    }

    @Test func aReplacedSourceIsNamed() throws {
        let writer = try writer()
        try scratch.write("other", "9876543210")
        try FileSystem.rename(scratch.path("other"), to: source)
        expectSourceFailure(writer, "was replaced by another file")
        try expectNothingHappened()
    }

    @Test func aSourceThatIsNoFileIsRefusedWhenAdded() throws {
        let writer = try writer()
        let link = scratch.path("link")
        let pipe = scratch.path("pipe")
        symlink(source, link)
        mkfifo(pipe, 0o600)
        let messages = [
            link: "is a symbolic link", pipe: "is not a regular file", scratch.path: "is not a regular file",
            scratch.path("none"): "No such file or directory",
        ]
        for (path, message) in messages {
            let error = #expect(throws: ArchiveError.self) { try writer.add(name: "x", path: path) }
            #expect(error?.code == .source)
            #expect(error?.description == "\(path): \(message)")
        }
        let error = #expect(throws: ArchiveError.self) { try writer.add(name: "x", path: source, length: 11) }
        #expect(error?.message == "has 10 bytes, not 11")
        // A refused source leaves its name free.
        try writer.add(name: "x", path: source)
    }

    @Test func anUnfinishedArchiveLeavesNothing() throws {
        var unfinished: ArchiveWriter? = try writer()
        #expect(unfinished != nil)
        unfinished = nil
        try expectNothingHappened()
        let discarded = try writer()
        discarded.discard()
        discarded.discard()
        try expectNothingHappened()
    }

    @Test func aCancelledArchiveLeavesNothing() throws {
        let writer = try writer()
        let error = #expect(throws: ArchiveError.self) { try writer.finish(isCancelled: { true }) }
        #expect(error?.code == .cancelled)
        try expectNothingHappened()
    }

    @Test func aDestinationThatCannotBeIsRefusedAtOnce() throws {
        for path in [scratch.path("none/out.zip"), scratch.path] {
            let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(destination: path) }
            #expect(error?.code == .system)
        }
        try expectNothingHappened()
    }

    @Test(.enabled(if: canMount)) func aFullMediumIsAStorageFailure() throws {
        let disk = scratch.path("disk")
        try FileSystem.makeDirectory(disk)
        #expect(mount("none", disk, "tmpfs", 0, "size=64k") == 0)
        defer { umount(disk) }
        let writer = try ArchiveWriter(destination: "\(disk)/out.zip")
        try writer.add(name: "noise", bytes: Host.randomBytes(200_000), modificationTime: 0)
        let error = #expect(throws: ArchiveError.self) { try writer.finish() }
        #expect(error?.isStorageFailure == true)
        #expect(error?.systemCode == ENOSPC)
        #expect(try FileSystem.list(disk).isEmpty)
    }

    /// Whether this process has CAP_SYS_ADMIN, bit 21 of the effective set (capabilities(7)).
    private static let canMount: Bool = {
        let status = String(decoding: (try? FileSystem.read("/proc/self/status")) ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let set = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }
        return (set ?? 0) >> 21 & 1 == 1
    }()
}
