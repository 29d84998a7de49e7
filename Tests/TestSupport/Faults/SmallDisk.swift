import Glibc
import LinuxSystem

/// A disk that fills: a tmpfs of a few hundred kilobytes (tmpfs(5)). Needs root; it is unmounted with its last reference.
package final class SmallDisk: Sendable {
    /// Where it is mounted.
    package let path: String
    private let scratch: ScratchDirectory

    package static func isAvailable() async -> Bool {
        guard getuid() == 0 else { return false }
        return (try? await SmallDisk(kilobytes: 64)) != nil
    }

    package init(kilobytes: Int) async throws {
        scratch = try ScratchDirectory()
        path = scratch.path("disk")
        try FileSystem.makeDirectory(path)
        try await Mounting.mount("-t", "tmpfs", "-o", "size=\(kilobytes)k,mode=0700", "tmpfs", path)
    }

    deinit { Mounting.unmount(path) }

    /// Takes all room that is left.
    package func fill() throws {
        let file = try File(path: filler, O_WRONLY | O_CREAT)
        let block = [UInt8](repeating: 0x2E, count: 4096)
        do throws(SystemError) {
            while true { try file.write(block, at: try file.size()) }
        } catch  where error.code == ENOSPC {}
    }

    /// Gives some blocks of 4 KiB back.
    package func free(blocks: Int64) throws {
        let file = try File(path: filler, O_WRONLY)
        try file.truncate(to: max(0, try file.size() - blocks * 4096))
    }

    /// Gives the room of `fill` back.
    package func free() throws { try check("remove", path: filler) { unlink(filler) } }

    /// Refuses all writing from now on; possible only while no file is open for writing.
    package func makeReadOnly() async throws { try await Mounting.mount("-o", "remount,ro", path) }

    package func makeWritable() async throws { try await Mounting.mount("-o", "remount,rw", path) }

    private var filler: String { "\(path)/.filler" }
}

/// mount(8) and umount(2).
enum Mounting {
    static func mount(_ arguments: String...) async throws {
        try await Command.runSuccessfully(Command.find("mount") ?? "mount", arguments)
    }

    /// Takes a mount out of the tree, although something on it may still be open (MNT_DETACH).
    static func unmount(_ path: String) { umount2(path, Int32(MNT_DETACH)) }
}
