import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct FileTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func create(_ name: String) throws -> File {
        try File(path: scratch.path(name), O_RDWR | O_CREAT | O_EXCL)
    }

    @Test func bytesAreWrittenAndReadAtOffsets() throws {
        let file = try create("f")
        try file.write(Array("world".utf8), at: 6)
        try file.write(Array("hello ".utf8), at: 0)
        #expect(try file.size() == 11)
        #expect(try file.read(at: 6, count: 100) == Array("world".utf8))
        #expect(try file.read(at: 11, count: 1) == [])
        #expect(try file.read(at: 0, count: 0) == [])
        try file.truncate(to: 5)
        try file.syncData()
        try file.sync()
        #expect(try scratch.read("f") == "hello")
    }

    @Test func holesAreNoData() throws {
        let file = try create("f")
        #expect(file.dataBytes(of: 0) == 0)
        try file.truncate(to: 1 << 24)
        #expect(file.dataBytes(of: 1 << 24) == 0)
        try file.write(Array("in the middle".utf8), at: 1 << 20)
        try file.write(Array("end".utf8), at: 1 << 24)
        let size = try file.size()
        // Whole blocks, but the last.
        #expect((16...(1 << 20)).contains(file.dataBytes(of: size)))
        #expect(file.dataBytes(of: 1 << 20) == 0)
        // Such a file has no blocks at all.
        let made = try File(path: "/sys/kernel/uevent_seqnum", O_RDONLY)
        #expect(try made.dataBytes(of: made.size()) == made.size())
    }

    @Test func aTreeOfAnyNamesCanBeRemovedAndHasASize() async throws {
        let tree = try scratch.write("tree/plain", "12345")
        let script = "cd \"$0\" && mkdir -p \"$(printf 'd\\377')/sub\" && printf 123 >\"$(printf 'd\\377/sub/f\\303')\""
        try await Command.runSuccessfully("/bin/sh", ["-c", script, FileSystem.parent(of: tree)])
        let names = try FileSystem.list(RawPath(scratch.path("tree")))
        #expect(names == [[0x64, 0xFF], Array("plain".utf8)])
        #expect(FileSystem.treeSize(scratch.path("tree")) == 8)
        try FileSystem.removeTree(scratch.path("tree"))
        #expect(!FileSystem.exists(scratch.path("tree")))
    }

    @Test func aFileIsClosedOnExecAndWithItsOwner() throws {
        var file: File? = try create("f")
        let descriptor = try #require(file?.descriptor)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        let link = "/proc/self/fd/\(descriptor)"
        var target = [CChar](repeating: 0, count: 4096)
        #expect(readlink(link, &target, target.count) > 0)
        file = nil
        // Another test may have got the number meanwhile: it is not this file then.
        let count = max(0, readlink(link, &target, target.count))
        let now = String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        #expect(now != scratch.path("f"))
    }

    @Test func anErrorNamesWhatWasTried() throws {
        let path = scratch.path("none")
        let error = #expect(throws: SystemError.self) { try File(path: path, O_RDONLY) }
        #expect(error?.code == ENOENT)
        #expect(error?.description == "cannot open \(path): No such file or directory")
        #expect(error?.isStorageFailure == false)
        let full = try File(path: "/dev/full", O_WRONLY)
        #expect(#expect(throws: SystemError.self) { try full.write([1]) }?.isStorageFailure == true)
    }

    @Test func aLockHoldsBetweenOpenFileDescriptions() throws {
        let first = try create("locked")
        var second: File? = try File(path: first.path, O_RDWR)
        #expect(try first.lock(byte: 0))
        #expect(try first.lock(byte: 0))
        #expect(try second?.lock(byte: 0) == false)
        #expect(try second?.lock(byte: 1) == true)
        #expect(try second?.isLocked(byte: 0) == true)
        #expect(try first.isLocked(byte: 0) == false)
        #expect(try first.isLocked(byte: 1) == true)
        first.unlock(byte: 0)
        #expect(try second?.lock(byte: 0) == true)
        second = nil
        #expect(try first.isLocked(byte: 0) == false)
        #expect(try first.lock(byte: 1))
    }
}

@Suite struct FileSystemTests {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    @Test func aReplacedFileIsTheOldOrTheNewOne() throws {
        let path = scratch.path("manifest.json")
        try FileSystem.replace(path, with: Array("old".utf8))
        try FileSystem.replace(path, with: Array("new".utf8))
        #expect(try scratch.read("manifest.json") == "new")
        #expect(try FileSystem.list(scratch.path) == ["manifest.json"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func aFailedReplacementLeavesNothingBehind() throws {
        try scratch.write("directory/child", "x")
        #expect(throws: SystemError.self) { try FileSystem.replace(scratch.path("directory"), with: [1]) }
        #expect(throws: SystemError.self) { try FileSystem.replace(scratch.path("none/x"), with: [1]) }
        #expect(try FileSystem.list(scratch.path) == ["directory"])
    }

    @Test func replacementsAtTheSameTimeDoNotMix() async throws {
        let path = scratch.path("shared")
        let contents = (0..<8).map { [UInt8](repeating: UInt8($0), count: 100_000) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for content in contents { group.addTask { try FileSystem.replace(path, with: content) } }
            try await group.waitForAll()
        }
        #expect(contents.contains(try FileSystem.read(path)))
        #expect(try FileSystem.list(scratch.path) == ["shared"])
    }

    @Test func directoriesAreMadeListedAndRemoved() throws {
        try FileSystem.makeDirectories(scratch.path("a/b/c"))
        try FileSystem.makeDirectories(scratch.path("a/b/c"))
        #expect(FileSystem.isDirectory(scratch.path("a/b/c")))
        #expect(#expect(throws: SystemError.self) { try FileSystem.makeDirectory(scratch.path("a")) }?.code == EEXIST)
        try scratch.write("kept", "outside")
        try scratch.write("a/b/file", "x")
        symlink(scratch.path("kept"), scratch.path("a/link"))
        symlink(scratch.path, scratch.path("a/b/up"))
        #expect(try FileSystem.list(scratch.path("a")) == ["b", "link"])
        try FileSystem.removeTree(scratch.path("a"))
        #expect(try FileSystem.list(scratch.path) == ["kept"])
        #expect(throws: SystemError.self) { try FileSystem.makeDirectories(scratch.path("kept/x")) }
    }

    @Test func readingHasALimitAndKnowsProc() throws {
        let path = try scratch.write("f", "12345")
        #expect(try FileSystem.read(path, limit: 5).count == 5)
        #expect(#expect(throws: SystemError.self) { try FileSystem.read(path, limit: 4) }?.code == EFBIG)
        #expect(try !FileSystem.read("/proc/self/status").isEmpty)
    }

    @Test func pathsAreTakenApart() {
        #expect(FileSystem.parent(of: "/a/b") == "/a" && FileSystem.name(of: "/a/b") == "b")
        #expect(FileSystem.parent(of: "/a") == "/" && FileSystem.parent(of: "a") == "")
        #expect(FileSystem.absolute("/a") == "/a" && FileSystem.absolute("x").hasSuffix("/x"))
        #expect(FileSystem.absolute("./x") == FileSystem.absolute("x"))
        #expect(FileSystem.expandingTilde("~/x") == FileSystem.homeDirectory + "/x")
        #expect(FileSystem.expandingTilde("~other/x") == "~other/x" && FileSystem.expandingTilde("a~") == "a~")
    }
}
