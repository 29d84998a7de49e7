import Glibc
import LinuxSystem

/// A disk that keeps the times of its files in whole seconds, as many cards and old flash do: ext4 with inodes of 128
/// bytes, in a file. Needs root and loop devices; it is unmounted with its last reference.
package final class CoarseDisk: Sendable {
    /// Where it is mounted.
    package let path: String
    private let scratch: ScratchDirectory

    package static func isAvailable() async -> Bool {
        guard getuid() == 0 else { return false }
        return (try? await CoarseDisk()) != nil
    }

    package init() async throws {
        scratch = try ScratchDirectory()
        path = scratch.path("disk")
        try FileSystem.makeDirectory(path)
        let image = try scratch.write("image", "")
        // Origin of 1 MiB: the least that mke2fs(8) is content with, and some files.
        try File(path: image, O_WRONLY).truncate(to: 1 << 20)
        try await Command.runSuccessfully(Command.find("mke2fs") ?? "mke2fs", ["-q", "-t", "ext4", "-I", "128", image])
        try await Mounting.mount("-o", "loop", image, path)
    }

    deinit { Mounting.unmount(path) }
}
