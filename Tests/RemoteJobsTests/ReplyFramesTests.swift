import Testing

@testable import RemoteJobs

/// Replies of the resident shell, cut out of a stream that arrives in any pieces.
@Suite struct ReplyFramesTests {
    private typealias Frame = ReplyFrames.Frame
    private static let token = "ecr0123"

    private func wire(_ frames: [Frame]) -> [UInt8] {
        frames.flatMap { $0.body + Array("\n\(Self.token) \($0.id) \($0.status)\n".utf8) }
    }

    private let frames: [Frame] = [
        Frame(id: 1, status: 0, body: []),
        Frame(id: 2, status: 3, body: Array("text\n".utf8)),
        Frame(id: 3, status: 0, body: Array(0...255)),
        // The token without its newline, with another end, and at the very end of a body.
        Frame(id: 4, status: 0, body: Array("a ecr0123 9 9\n\necr0124 7 0\n\necr0123".utf8)),
        Frame(id: 12, status: 127, body: Array("\n\n\n".utf8)),
    ]

    @Test func manyFramesInOnePieceComeInOrder() {
        var cutter = ReplyFrames(token: Self.token)
        #expect(cutter.take(wire(frames)) == frames)
    }

    @Test func aStreamSplitAtAnyByteGivesTheSameFrames() {
        let bytes = wire(frames)
        for split in 0...bytes.count {
            var cutter = ReplyFrames(token: Self.token)
            #expect(cutter.take(Array(bytes[..<split])) + cutter.take(Array(bytes[split...])) == frames, "\(split)")
        }
    }

    @Test func aReplyWithoutAnEndIsNoticed() {
        var cutter = ReplyFrames(token: Self.token)
        let piece = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<64 { #expect(cutter.take(piece).isEmpty && !cutter.isExcessive) }
        _ = cutter.take(piece)
        #expect(cutter.isExcessive)
    }

    @Test func singleBytesGiveTheSameFrames() {
        var cutter = ReplyFrames(token: Self.token)
        #expect(wire(frames).flatMap { cutter.take([$0]) } == frames)
    }

    @Test func whatALoginScriptPrintsIsPartOfTheFirstBodyOnly() {
        var cutter = ReplyFrames(token: Self.token)
        let cut = cutter.take(Array("Welcome!\n".utf8) + wire([frames[0], frames[1]]))
        #expect(cut.map(\.id) == [1, 2])
        #expect(cut.first?.body == Array("Welcome!\n".utf8))
        #expect(cut.last?.body == Array("text\n".utf8))
    }

    @Test func anUnfinishedFrameWaits() {
        var cutter = ReplyFrames(token: Self.token)
        #expect(cutter.take(Array("body\necr0123 1 0".utf8)).isEmpty)
        #expect(cutter.take([0x0A]) == [Frame(id: 1, status: 0, body: Array("body".utf8))])
    }
}
