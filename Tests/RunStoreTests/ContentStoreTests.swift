import Glibc
import Hashing
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Equal content is on the disk once, and a file in its place stays whatever fails.
@Suite struct ContentStoreTests {
    private func inode(_ path: String) -> ino_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_ino : 0
    }

    private func place(
        _ text: String, as name: String, in scratch: ScratchDirectory
    ) throws -> String {
        try scratch.write(name, text)
        let path = scratch.path(name)
        try ContentStore(runsDirectory: scratch.path("")).place(
            path, at: path, size: Int64(text.utf8.count), sha256: SHA256.hexDigest(of: Array(text.utf8)),
            isExecutable: false)
        return path
    }

    @Test func whatIsInItsPlaceAlreadyIsTheSameFileAsItsEquals() throws {
        let scratch = try ScratchDirectory()
        let first = try place("content", as: "a", in: scratch)
        let second = try place("content", as: "b", in: scratch)
        #expect(inode(first) == inode(second))
        #expect(try FileSystem.read(second) == Array("content".utf8))
        #expect(try FileSystem.list(scratch.path("")).sorted() == [".content", "a", "b"])
    }

    /// ext4 gives a file no more than 65,000 names.
    @Test func aFileThatCannotBeLinkedStaysItself() throws {
        let scratch = try ScratchDirectory()
        let first = try place("content", as: "a", in: scratch)
        try FileSystem.makeDirectory(scratch.path("names"))
        var number = 0
        while number < 70_000, link(first, scratch.path("names/\(number)")) == 0 { number += 1 }
        let second = try place("content", as: "b", in: scratch)
        #expect(try FileSystem.read(second) == Array("content".utf8))
        #expect(try FileSystem.list(scratch.path("")).sorted() == [".content", "a", "b", "names"])
    }

    @Test func whatWasCutIsRemovedAtTheEndAndNothingElse() throws {
        let scratch = try ScratchDirectory()
        let run = RunDirectory(path: scratch.path("run"))
        try scratch.write("run/artifacts/0001-a/below/cut", "half")
        try scratch.write("run/artifacts/0001-a/below/whole", "all")
        try scratch.write("run/artifacts/own", "mine")
        chmod("\(run.path)/artifacts/0001-a/below/cut", FileSystem.unfinishedMode)
        run.removeParts()
        #expect(try FileSystem.list("\(run.path)/artifacts/0001-a/below") == ["whole"])
        #expect(try FileSystem.list("\(run.path)/artifacts") == ["0001-a", "own"])
    }
}
