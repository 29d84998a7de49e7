/// A question to an SFTP server, version 3 (draft-ietf-secsh-filexfer-02, section 6). Paths are raw bytes.
package enum SFTPRequest: Sendable, Equatable {
    case open(path: [UInt8], flags: UInt32, attributes: SFTPAttributes)
    case close(handle: [UInt8])
    case read(handle: [UInt8], offset: UInt64, count: UInt32)
    case write(handle: [UInt8], offset: UInt64, bytes: [UInt8])
    case stat(path: [UInt8])
    case lstat(path: [UInt8])
    case fstat(handle: [UInt8])
    case openDirectory(path: [UInt8])
    case readDirectory(handle: [UInt8])
    case remove(path: [UInt8])
    case makeDirectory(path: [UInt8], attributes: SFTPAttributes)
    case realPath(path: [UInt8])
    case rename(from: [UInt8], to: [UInt8])
    case readLink(path: [UInt8])
    /// `posix-rename@openssh.com`: replaces an existing file, as rename(2) does.
    case posixRename(from: [UInt8], to: [UInt8])

    /// The first packet, which has a version in the place of the id.
    package static let initialization: [UInt8] = [0, 0, 0, 5, 1, 0, 0, 0, 3]

    /// The packet with its length before it.
    package func encoded(id: UInt32) -> [UInt8] {
        var body = WireWriter()
        body.uint8(type)
        body.uint32(id)
        encodeFields(&body)
        var packet = WireWriter()
        packet.string(body.bytes)
        return packet.bytes
    }

    private var type: UInt8 {
        switch self {
        case .open: 3
        case .close: 4
        case .read: 5
        case .write: 6
        case .lstat: 7
        case .fstat: 8
        case .openDirectory: 11
        case .readDirectory: 12
        case .remove: 13
        case .makeDirectory: 14
        case .realPath: 16
        case .stat: 17
        case .rename: 18
        case .readLink: 19
        case .posixRename: 200
        }
    }

    private func encodeFields(_ body: inout WireWriter) {
        switch self {
        case .open(let path, let flags, let attributes):
            body.string(path)
            body.uint32(flags)
            attributes.encode(&body)
        case .read(let handle, let offset, let count):
            body.string(handle)
            body.uint64(offset)
            body.uint32(count)
        case .write(let handle, let offset, let bytes):
            body.string(handle)
            body.uint64(offset)
            body.string(bytes)
        case .makeDirectory(let path, let attributes):
            body.string(path)
            attributes.encode(&body)
        case .rename(let from, let to):
            body.string(from)
            body.string(to)
        case .posixRename(let from, let to):
            body.string(Array("posix-rename@openssh.com".utf8))
            body.string(from)
            body.string(to)
        case .close(let name), .stat(let name), .lstat(let name), .fstat(let name), .openDirectory(let name),
            .readDirectory(let name), .remove(let name), .realPath(let name), .readLink(let name):
            body.string(name)
        }
    }
}
