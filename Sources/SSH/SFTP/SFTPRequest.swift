/// A question to an SFTP server, version 3 (draft-ietf-secsh-filexfer-02, section 6). Paths are raw bytes.
package enum SFTPRequest: Sendable, Equatable {
    case open(path: [UInt8], flags: UInt32, attributes: SFTPAttributes)
    case close(handle: [UInt8])
    case read(handle: [UInt8], offset: UInt64, count: UInt32)
    case write(handle: [UInt8], offset: UInt64, bytes: ArraySlice<UInt8>)
    case stat(path: [UInt8])
    /// Of an open file.
    case fstat(handle: [UInt8])
    case openDirectory(path: [UInt8])
    case readDirectory(handle: [UInt8])
    case realPath(path: [UInt8])
    case readLink(path: [UInt8])
    /// A question of a server's own (section 8), without data.
    case extended(name: [UInt8])

    /// The first packet, which has a version in the place of the id.
    package static let initialization: [UInt8] = [0, 0, 0, 5, 1, 0, 0, 0, 3]

    /// The packet with its length before it.
    package func encoded(id: UInt32) -> [UInt8] {
        var packet = WireWriter()
        packet.uint32(0)
        packet.uint8(type)
        packet.uint32(id)
        encodeFields(&packet)
        packet.putLengthFirst()
        return packet.bytes
    }

    private var type: UInt8 {
        switch self {
        case .open: 3
        case .close: 4
        case .read: 5
        case .write: 6
        case .fstat: 8
        case .openDirectory: 11
        case .readDirectory: 12
        case .realPath: 16
        case .stat: 17
        case .readLink: 19
        case .extended: 200
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
        case .close(let name), .stat(let name), .fstat(let name), .openDirectory(let name), .readDirectory(let name),
            .realPath(let name), .readLink(let name), .extended(let name):
            body.string(name)
        }
    }
}
