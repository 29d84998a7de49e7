import SSH
import Testing

/// The packets' bytes, by draft-ietf-secsh-filexfer-02, and what becomes of those that are no packets.
@Suite struct SFTPCodecTests {
    private func framed(_ body: [UInt8]) -> [UInt8] { number(UInt32(body.count)) + body }

    private func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private func string(_ text: String) -> [UInt8] { number(UInt32(text.utf8.count)) + Array(text.utf8) }

    private func decodeAll(_ bytes: [UInt8], pieces: Int = .max) throws(SSHError) -> [SFTPReply] {
        var decoder = SFTPDecoder()
        var replies: [SFTPReply] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            decoder.append(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
            while let next = try decoder.next() { replies.append(next.reply) }
        }
        return replies
    }

    @Test func requestsHaveTheDraftsBytes() {
        #expect(SFTPRequest.initialization == [0, 0, 0, 5, 1, 0, 0, 0, 3])
        #expect(SFTPRequest.stat(path: [0x2F]).encoded(id: 258) == [0, 0, 0, 10, 17, 0, 0, 1, 2, 0, 0, 0, 1, 0x2F])
        #expect(
            SFTPRequest.read(handle: [9], offset: 0x0102_0304_0506_0708, count: 32768).encoded(id: 1)
                == [0, 0, 0, 22, 5, 0, 0, 0, 1, 0, 0, 0, 1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x80, 0])
        #expect(SFTPRequest.readLink(path: [0x2F]).encoded(id: 1) == [0, 0, 0, 10, 19, 0, 0, 0, 1, 0, 0, 0, 1, 0x2F])
        let open = SFTPRequest.open(path: [0x61], flags: 3, attributes: SFTPAttributes(permissions: 0o600))
        #expect(open.encoded(id: 0).suffix(17) == [0, 0, 0, 1, 0x61, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 1, 0x80])
    }

    @Test func repliesComeInAnyPieces() throws {
        let attributes = number(0xF) + [0, 0, 0, 1, 0, 0, 0, 2] + number(5) + number(6) + number(0o100644)
        let stream =
            framed([101] + number(7) + number(2) + string("no such file") + string("en"))
            + framed([103] + number(8) + string("data"))
            + framed([105] + number(9) + attributes + number(10) + number(11))
            + framed([104] + number(9) + number(1) + string("n") + string("long") + number(0))
            + framed([102] + number(1) + string("h"))
            + framed([2] + number(3) + string("x@y") + string("1"))
        let expected: [SFTPReply] = [
            .status(2, message: "no such file"), .data(Array("data".utf8)),
            .attributes(
                SFTPAttributes(
                    size: 1 << 32 | 2, uid: 5, gid: 6, permissions: 0o100644, accessTime: 10, modificationTime: 11)),
            .names([SFTPEntry(name: [0x6E], attributes: SFTPAttributes())]), .handle([0x68]),
            .version(3, extensions: [Array("x@y".utf8)]),
        ]
        for pieces in [1, 2, 3, 7, 1000] { #expect(try decodeAll(stream, pieces: pieces) == expected) }
    }

    @Test func limitsAreWholeBlocksThatAPacketHasRoomFor() throws {
        let question = SFTPRequest.extended(name: Array("a@b".utf8)).encoded(id: 1)
        #expect(question == [0, 0, 0, 12, 200, 0, 0, 0, 1, 0, 0, 0, 3, 0x61, 0x40, 0x62])
        #expect(try decodeAll(framed([201] + number(7) + [1, 2, 3])) == [.extended([1, 2, 3])])
        func limits(_ values: UInt64...) -> SFTPLimits? {
            SFTPLimits(answer: values.flatMap { withUnsafeBytes(of: $0.bigEndian) { Array($0) } })
        }
        let block = SFTPLimits.block
        let openSSH = try #require(limits(262_144, 261_120, 261_120, 1019))
        #expect(openSSH.read == 7 * block && openSSH.write == 7 * block)
        let uneven = try #require(limits(.max, .max, 100_000))
        #expect(uneven.read == 7 * block && uneven.write == 3 * block)
        // What is not told, or less than every server must take.
        #expect(limits(0, 0, 0, 0) == limits(34_000, 10, 20, 0))
        #expect(limits(0, 0, 0, 0)?.read == block)
        #expect(limits(262_144, 261_120) == nil)
    }

    @Test func aStatusWithoutWordsIsAllowed() throws {
        #expect(try decodeAll(framed([101] + number(7) + number(4))) == [.status(4, message: "")])
    }

    @Test func everyTruncatedPacketIsAnError() throws {
        let bodies: [[UInt8]] = [
            [102] + number(1) + string("handle"),
            [103] + number(1) + string("data"),
            [104] + number(1) + number(2) + string("a") + string("b") + number(0) + string("c") + string("")
                + number(0),
            [105] + number(1) + number(0x8000_000F) + [UInt8](repeating: 0, count: 28) + number(1) + string("")
                + string(""),
        ]
        for body in bodies {
            #expect(try decodeAll(framed(body)).count == 1)
            for length in 1..<body.count {
                #expect(throws: SSHError.self) { try decodeAll(framed(Array(body.prefix(length)))) }
            }
        }
    }

    @Test func announcedLengthsAreNotBelieved() {
        let hostile: [[UInt8]] = [
            [0, 0, 0, 0], number(UInt32(SFTPDecoder.longestPacket) + 1), number(.max),
            framed([104] + number(1) + number(.max)), framed([103] + number(1) + number(.max)),
            framed([105] + number(1) + number(0x8000_0000) + number(.max)), framed([77] + number(1)),
            framed([2]), framed([101]),
        ]
        for bytes in hostile {
            let error = #expect(throws: SSHError.self) { try decodeAll(bytes) }
            #expect(error?.code == .protocolViolation)
        }
    }

    /// Whatever comes, the decoder ends with an error or waits for more.
    @Test func randomBytesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let length = UInt32.random(in: 1...64, using: &generator)
            let type = UInt8.random(in: 100...106, using: &generator)
            let body = (1..<length).map { _ in UInt8.random(in: 0...9, using: &generator) }
            _ = try? decodeAll(framed([type] + body))
        }
    }

    @Test func theLongestPacketIsTaken() throws {
        let data = [UInt8](repeating: 1, count: SFTPDecoder.longestPacket - 9)
        let packet = framed([103] + number(1) + number(UInt32(data.count)) + data)
        #expect(try decodeAll(packet, pieces: 40_000) == [.data(data)])
    }
}
