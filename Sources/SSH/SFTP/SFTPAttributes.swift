import Glibc

/// What an SFTP server tells of a file; what it does not tell is nil (draft-ietf-secsh-filexfer-02, section 5).
package struct SFTPAttributes: Sendable, Equatable {
    /// Bytes.
    package var size: UInt64?
    package var uid: UInt32?
    package var gid: UInt32?
    /// The mode as in stat(2), with the file's type in its upper bits.
    package var permissions: UInt32?
    /// Seconds since 1970.
    package var accessTime: UInt32?
    /// Seconds since 1970.
    package var modificationTime: UInt32?

    package init(
        size: UInt64? = nil, uid: UInt32? = nil, gid: UInt32? = nil, permissions: UInt32? = nil,
        accessTime: UInt32? = nil, modificationTime: UInt32? = nil
    ) {
        self.size = size
        self.uid = uid
        self.gid = gid
        self.permissions = permissions
        self.accessTime = accessTime
        self.modificationTime = modificationTime
    }

    package var isDirectory: Bool { has(S_IFDIR) }
    package var isRegular: Bool { has(S_IFREG) }
    package var isSymlink: Bool { has(S_IFLNK) }

    private func has(_ type: mode_t) -> Bool { (permissions ?? 0) & UInt32(S_IFMT) == UInt32(type) }
}

extension SFTPAttributes {
    private enum Flag {
        static let size: UInt32 = 0x1
        static let owner: UInt32 = 0x2
        static let permissions: UInt32 = 0x4
        static let times: UInt32 = 0x8
        static let extended: UInt32 = 0x8000_0000
    }

    init(_ reader: inout WireReader) throws(SSHError) {
        let flags = try reader.uint32()
        if flags & Flag.size != 0 { size = try reader.uint64() }
        if flags & Flag.owner != 0 {
            uid = try reader.uint32()
            gid = try reader.uint32()
        }
        if flags & Flag.permissions != 0 { permissions = try reader.uint32() }
        if flags & Flag.times != 0 {
            accessTime = try reader.uint32()
            modificationTime = try reader.uint32()
        }
        guard flags & Flag.extended != 0 else { return }
        // The count is the peer's word: each pair takes at least eight bytes, and the reader ends the loop.
        for _ in 0..<(try reader.uint32()) {
            _ = try reader.string()
            _ = try reader.string()
        }
    }

    func encode(_ writer: inout WireWriter) {
        // The protocol knows owner and group, and both times, as pairs only.
        let owner = uid.flatMap { uid in gid.map { (uid, $0) } }
        let times = accessTime.flatMap { access in modificationTime.map { (access, $0) } }
        var flags: UInt32 = 0
        if size != nil { flags |= Flag.size }
        if owner != nil { flags |= Flag.owner }
        if permissions != nil { flags |= Flag.permissions }
        if times != nil { flags |= Flag.times }
        writer.uint32(flags)
        if let size { writer.uint64(size) }
        if let owner {
            writer.uint32(owner.0)
            writer.uint32(owner.1)
        }
        if let permissions { writer.uint32(permissions) }
        if let times {
            writer.uint32(times.0)
            writer.uint32(times.1)
        }
    }
}
