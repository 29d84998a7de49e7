/// The most bytes of one read and of one write request that a server takes.
package struct SFTPLimits: Sendable, Equatable {
    /// OpenSSH's question for them (its PROTOCOL file, section 4.8).
    static let question = Array("limits@openssh.com".utf8)
    /// Origin: 32 KiB is what every server must take (draft-ietf-secsh-filexfer-02, section 3).
    package static let block = 32 << 10

    package private(set) var read = block
    package private(set) var write = block

    init() {}

    /// - Parameter answer: the longest packet, read and write, and the most handles, 64 bits each; 0 for one that is not told.
    package init?(answer: [UInt8]) {
        var reader = WireReader(answer[...], from: "the SFTP server")
        guard let packet = try? reader.uint64(), let read = try? reader.uint64(), let write = try? reader.uint64()
        else { return nil }
        // A packet has other fields, too.
        let room = packet == 0 ? .max : packet - min(packet, 1024)
        (self.read, self.write) = (Self.blocks(min(read, room)), Self.blocks(min(write, room)))
    }

    /// Whole blocks, and no more than the longest packet that we take.
    private static func blocks(_ count: UInt64) -> Int {
        max(block, Int(min(count, UInt64(SFTPDecoder.longestPacket) - 2048)) / block * block)
    }
}

/// How much one request of a transfer asks for: much where the link is fast, which saves packets on both sides; little
/// where it is slow, so that each answer comes soon and the transfer is seen to go on.
struct SFTPRequestSize {
    /// Bytes that have to have come at least. Origin: the first ones say little of a link.
    private static let first = 1 << 20
    /// Bytes a second. Origin: at this rate the longest request takes 30 ms.
    private static let fast = 8e6

    private let began = ContinuousClock.now
    private var bytes = 0

    /// - Parameter limit: of the server's.
    func next(limit: Int) -> Int {
        guard bytes >= Self.first else { return SFTPLimits.block }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        return Double(bytes) > seconds * Self.fast ? limit : SFTPLimits.block
    }

    /// So much more has come, or gone.
    mutating func note(_ count: Int) { bytes += count }
}
