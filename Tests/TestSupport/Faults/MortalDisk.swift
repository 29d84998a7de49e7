import Glibc
import LinuxSystem
import Synchronization

/// A disk that loses power: an ext4 image on a loop device, shut down by EXT4_IOC_SHUTDOWN without a flush of its journal.
///
/// What was synced is in the image, what was not is gone, as after a power cut. Needs root; it is unmounted with its last
/// reference.
package final class MortalDisk: Sendable {
    /// Where it is mounted.
    package let path: String
    private let scratch: ScratchDirectory
    /// How often power has come back: each time from a copy of the image.
    private let lives = Mutex(0)
    private var image: String { scratch.path("image\(lives.withLock { $0 })") }

    package static func isAvailable() async -> Bool {
        guard getuid() == 0, Command.find("mkfs.ext4") != nil else { return false }
        do {
            try await MortalDisk().cutPower()
            return true
        } catch { return false }
    }

    /// - Parameter megabytes: by default enough for pulls, which leave 100 MB free.
    package init(megabytes: Int64 = 160) async throws {
        scratch = try ScratchDirectory()
        path = scratch.path("disk")
        try FileSystem.makeDirectory(path)
        try File(path: image, O_RDWR | O_CREAT).truncate(to: megabytes << 20)
        try await Command.runSuccessfully(Command.find("mkfs.ext4") ?? "mkfs.ext4", ["-q", "-F", image])
        try await Mounting.mount("-o", "loop", image, path)
    }

    deinit { Mounting.unmount(path) }

    /// From now on every call on the disk fails with EIO, and nothing that was not synced will come back.
    ///
    /// Stop the writers first (SIGSTOP): nobody may learn of the cut before it has happened.
    package func cutPower() throws {
        let root = try File(path: path, O_RDONLY | O_DIRECTORY)
        // fs/ext4/ext4.h: _IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH.
        let shutdown: UInt = 0x8004_587D
        var flags: UInt32 = 2
        try check("shut down", path: path) { ioctl(root.descriptor, shutdown, &flags) }
    }

    /// Mounts the disk again, which replays its journal. No process may have anything on it open.
    ///
    /// It is a copy: as long as some other mount namespace has a mount of the old image, which it got when it was made,
    /// the kernel would give that one again, dead as it is.
    package func restorePower() async throws {
        try await unmount()
        let dead = image
        lives.withLock { $0 += 1 }
        try await Command.runSuccessfully(Command.find("cp") ?? "cp", ["--sparse=always", dead, image])
        unlink(dead)
        try await Mounting.mount("-o", "loop", image, path)
    }

    /// A process that another test has just forked has all of our files open until its exec.
    private func unmount() async throws {
        let umount = Command.find("umount") ?? "umount"
        for _ in 1...50 {
            if try await Command.run(umount, [path]).status == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Command.runSuccessfully(umount, [path])
    }
}
