/// Cuts the server's byte stream into packets, whatever pieces it comes in.
package struct SFTPDecoder: Sendable {
    /// Origin: OpenSSH's SFTP_MAX_MSG_LENGTH is 256 KiB; a little more for servers that count differently.
    package static let longestPacket = (256 << 10) + 1024

    private var buffer: [UInt8] = []
    /// Bytes before it were taken.
    private var start = 0

    package init() {}

    package mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole packet, nil while it is not all there.
    /// - Throws: `protocolViolation` for a packet that is too long or makes no sense; the stream is then of no use.
    package mutating func next() throws(SSHError) -> (id: UInt32, reply: SFTPReply)? {
        guard buffer.count - start >= 4 else { return nil }
        let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        guard (1...SFTPDecoder.longestPacket).contains(length) else {
            throw SSHError(.protocolViolation, "the SFTP server has announced a packet of \(length) bytes")
        }
        guard buffer.count - start - 4 >= length else { return nil }
        let body = start + 4
        start = body + length
        return try SFTPReply.decode(buffer[body..<start])
    }
}
