/// An answer of an SFTP server, version 3 (draft-ietf-secsh-filexfer-02, section 7).
package enum SFTPReply: Sendable, Equatable {
    /// The answer to the initialization, with the names of the extensions; it has no id.
    case version(UInt32, extensions: [[UInt8]])
    case status(UInt32, message: String)
    case handle([UInt8])
    case data([UInt8])
    case names([SFTPEntry])
    case attributes(SFTPAttributes)
    /// The answer to an extended request, whose form is the request's own.
    case extended([UInt8])

    /// Takes a packet, without its length, apart.
    /// - Returns: the request's id, 0 for `version`.
    package static func decode(_ packet: ArraySlice<UInt8>) throws(SSHError) -> (id: UInt32, reply: SFTPReply) {
        var reader = WireReader(packet, from: "the SFTP server")
        let type = try reader.uint8()
        if type == 2 { return (0, try version(&reader)) }
        let id = try reader.uint32()
        switch type {
        case 101: return (id, try status(&reader))
        case 102: return (id, .handle(try reader.string()))
        case 103: return (id, .data(try reader.string()))
        case 104: return (id, .names(try names(&reader)))
        case 105: return (id, .attributes(try SFTPAttributes(&reader)))
        case 201: return (id, .extended(reader.takeRest()))
        default: throw SSHError(.protocolViolation, "the SFTP server has sent a packet of the unknown type \(type)")
        }
    }

    private static func version(_ reader: inout WireReader) throws(SSHError) -> SFTPReply {
        let number = try reader.uint32()
        var extensions: [[UInt8]] = []
        while !reader.isAtEnd {
            extensions.append(try reader.string())
            _ = try reader.string()
        }
        return .version(number, extensions: extensions)
    }

    /// Some servers leave the message and its language out.
    private static func status(_ reader: inout WireReader) throws(SSHError) -> SFTPReply {
        let code = try reader.uint32()
        return .status(code, message: reader.isAtEnd ? "" : String(decoding: try reader.string(), as: UTF8.self))
    }

    private static func names(_ reader: inout WireReader) throws(SSHError) -> [SFTPEntry] {
        var entries: [SFTPEntry] = []
        for _ in 0..<(try reader.uint32()) {
            let name = try reader.string()
            // The "long name" is a line for people.
            _ = try reader.string()
            entries.append(SFTPEntry(name: name, attributes: try SFTPAttributes(&reader)))
        }
        return entries
    }
}

/// A name in a directory. It is the server's word: it may hold `/`, `..` or control characters.
package struct SFTPEntry: Sendable, Equatable {
    package let name: [UInt8]
    package let attributes: SFTPAttributes

    package init(name: [UInt8], attributes: SFTPAttributes) {
        self.name = name
        self.attributes = attributes
    }
}
