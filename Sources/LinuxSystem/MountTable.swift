/// What is mounted where, as `/proc/<pid>/mountinfo` says it (proc_pid_mountinfo(5)): this machine's or a target's.
package struct MountTable: Sendable, Equatable {
    package struct Mount: Sendable, Equatable {
        /// `major:minor`, as in `/sys/dev/block`.
        package let device: String
        package let point: String
        package let isReadOnly: Bool
        /// `ext4`, `tmpfs`, …
        package let type: String
        /// `/dev/mmcblk0p2`, `ubi0:rootfs`, `tmpfs`, …
        package let source: String
        /// Where an overlay keeps what is written.
        package let upper: String?
    }

    package let mounts: [Mount]

    /// Lines of another form are left out.
    package init(mountinfo text: String) { mounts = text.split(separator: "\n").compactMap(Mount.init) }

    /// The mount in which a path lies. The path must be absolute and without links; it need not exist.
    package func mount(of path: String) -> Mount? {
        // Of two mounts on one point the later one covers the other.
        mounts.enumerated().filter { MountTable.contains($0.element.point, path) }
            .max { ($0.element.point.utf8.count, $0.offset) < ($1.element.point.utf8.count, $1.offset) }?.element
    }

    private static func contains(_ point: String, _ path: String) -> Bool {
        point == "/" || path == point || path.hasPrefix(point + "/")
    }

    /// What a path's files are kept on.
    /// - Parameter block: the kernel's name of the block device (`mmcblk0p2`), where the mount's source hides it
    ///   (`/dev/root`).
    package func storage(of path: String, block: String? = nil) -> Storage {
        guard let mount = mount(of: path) else { return .unknown }
        guard mount.type == "overlay" else { return Storage(mount, block: block) }
        // The upper layer's path is the one that it had when the overlay was made. Where it leads back to an overlay,
        // as in a container, what lies below cannot be seen.
        guard let upper = mount.upper, let below = self.mount(of: upper), below.type != "overlay" else {
            return .unknown
        }
        return Storage(below, block: nil)
    }
}

/// The kind of medium below a file system.
package enum Storage: String, Sendable, Equatable {
    /// Gone after a reboot.
    case memory
    /// Survives a reboot; each block bears a limited number of writes.
    case flash
    case disk
    case network
    case unknown

    /// Nil where it cannot be said.
    package var survivesReboot: Bool? {
        switch self {
        case .memory: false
        case .flash, .disk, .network: true
        case .unknown: nil
        }
    }

    fileprivate init(_ mount: MountTable.Mount, block: String?) {
        let device = block ?? Storage.name(mount.source)
        func begins(_ prefixes: [String]) -> Bool { prefixes.contains { device.hasPrefix($0) } }
        switch mount.type {
        case "tmpfs", "ramfs", "rootfs", "devtmpfs": self = .memory
        case "jffs2", "ubifs", "yaffs2": self = .flash
        case "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs": self = .network
        case "overlay": self = .unknown
        default:
            if begins(["mmcblk", "mtd", "ubi"]) {
                self = .flash
            } else {
                self = begins(["ram", "zram"]) ? .memory : .disk
            }
        }
    }

    private static func name(_ source: String) -> String {
        source.hasPrefix("/dev/") ? String(source.dropFirst(5)) : source
    }
}

extension MountTable.Mount {
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`; the fields before the dash
    /// vary in number.
    fileprivate init?(_ line: Substring) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count >= dash + 4 else { return nil }
        device = words[2]
        point = Self.unescaped(words[4])
        type = words[dash + 1]
        source = Self.unescaped(words[dash + 2])
        let options = words[5].split(separator: ",") + words[dash + 3].split(separator: ",")
        isReadOnly = options.contains("ro")
        upper = options.first { $0.hasPrefix("upperdir=") }.map { Self.unescaped(String($0.dropFirst(9))) }
    }

    /// The kernel writes blank, tab, newline and backslash as `\` and three octal digits.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3, let value = UInt8(digits, radix: 8) {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
