import Hashing
import JSON
import LinuxSystem
import Testing

@testable import EventLog

@Suite struct EventInspectorTests {
    private struct Findings: Equatable {
        var damages: [EventInspector.Damage] = []
        var seqs: [Int64] = []
        var torn: Int64 = 0
    }

    private func inspect(_ stream: Stream, upTo end: Int64? = nil) throws -> Findings {
        var inspector = try EventInspector(path: stream.path, upTo: try end ?? Int64(stream.size()))
        var findings = Findings()
        while let step = try inspector.next() {
            if let damage = step.damage { findings.damages.append(damage) }
            if let event = step.event { findings.seqs.append(event.seq) }
        }
        findings.torn = inspector.torn
        return findings
    }

    private func lines(_ stream: Stream) throws -> [[UInt8]] {
        try stream.bytes().split(separator: 0x0A).map { Array($0) + [0x0A] }
    }

    private let broken = "the hash of the line before does not match: one of the two was changed"

    @Test func aWholeStreamHasNoDamage() throws {
        #expect(try inspect(Stream(notes: 5)) == Findings(seqs: [0, 1, 2, 3, 4]))
        let empty = try Stream()
        try empty.overwrite([])
        #expect(try inspect(empty) == Findings())
    }

    @Test func aChangedLineIsNamedAtItsSuccessorAndReadingGoesOn() throws {
        let stream = try Stream(notes: 5)
        var lines = try lines(stream)
        lines[1] = Array(String(decoding: lines[1], as: UTF8.self).replacing("note 1", with: "note 9").utf8)
        try stream.overwrite(lines.flatMap { $0 })
        #expect(
            try inspect(stream)
                == Findings(damages: [.init(line: 3, seq: 2, message: broken)], seqs: [0, 1, 2, 3, 4]))
    }

    @Test func aLineThatIsNoEventIsOneDamage() throws {
        let stream = try Stream(notes: 5)
        var lines = try lines(stream)
        lines[2] = Array("garbage\n".utf8)
        try stream.overwrite(lines.flatMap { $0 })
        let findings = try inspect(stream)
        #expect(findings.damages.map(\.line) == [3] && findings.damages.map(\.seq) == [2])
        #expect(findings.damages.first?.message.hasPrefix("not JSON") == true)
        #expect(findings.seqs == [0, 1, 3, 4])
    }

    @Test func aMissingAndADoubledLineAreNamed() throws {
        let stream = try Stream(notes: 5)
        let whole = try lines(stream)
        try stream.overwrite((whole[..<2] + whole[3...]).flatMap { $0 })
        #expect(try inspect(stream).damages == [.init(line: 3, seq: 2, message: "seq is 3, expected 2")])
        try stream.overwrite((whole[..<3] + whole[2...]).flatMap { $0 })
        #expect(try inspect(stream).damages == [.init(line: 4, seq: 3, message: "seq is 2, expected 3")])
    }

    @Test func theLargestNumberIsNoTrap() throws {
        let stream = try Stream(notes: 2)
        var lines = try lines(stream)
        lines[0] = Array(
            String(decoding: lines[0], as: UTF8.self).replacing("\"seq\":0", with: "\"seq\":\(Int64.max)").utf8)
        try stream.overwrite(lines.flatMap { $0 })
        #expect(try inspect(stream).damages.count == 2)
    }

    /// What the next writer recovers is torn, and nothing else is.
    @Test func aLineTornAtEveryByteIsTorn() throws {
        let whole = try Stream(notes: 3).bytes()
        let length = lastLineLength(whole)
        for kept in 1..<length {
            let stream = try Stream()
            try stream.overwrite(Array(whole.prefix(whole.count - length + kept)))
            #expect(try inspect(stream) == Findings(seqs: [0, 1], torn: Int64(kept)))
        }
    }

    @Test func garbageAtTheEndIsTornWithItsNewline() throws {
        let stream = try Stream(notes: 2)
        let bytes = try stream.bytes()
        try stream.overwrite(bytes + Array("garbage\n".utf8))
        #expect(try inspect(stream) == Findings(seqs: [0, 1], torn: 8))
        try stream.overwrite(bytes + Array("garbage\nhalf".utf8))
        #expect(try inspect(stream).damages.map(\.line) == [3])
    }

    @Test func whatIsAppendedLaterIsNotLookedAt() throws {
        let stream = try Stream(notes: 2)
        let end = Int64(try stream.size())
        try stream.append(.note)
        #expect(try inspect(stream, upTo: end) == Findings(seqs: [0, 1]))
    }

    @Test func aLineBeyondTheLimitIsSkippedInBoundedMemory() throws {
        let stream = try Stream()
        let long = [UInt8](repeating: 0x78, count: 300_000)
        try stream.overwrite(Array("a\n".utf8) + long + Array("\nb\n".utf8) + long)
        var reader = LineReader(try File(path: stream.path, 0), longest: 100_000)
        #expect(try reader.next()?.bytes == Array("a".utf8))
        let line = try #require(try reader.next())
        #expect(line.isTooLong && line.length == 300_000 && line.bytes.isEmpty)
        #expect(try reader.next()?.bytes == Array("b".utf8))
        #expect(try reader.next() == nil)
    }
}

@Suite struct EventChainTests {
    private func checkpoint(of stream: Stream) throws -> Checkpoint {
        var reader = try EventReader(path: stream.path)
        while try reader.next() != nil {}
        return reader.checkpoint
    }

    @Test func aWholeStreamLeadsToEachOfItsPlaces() throws {
        let stream = try Stream(notes: 4)
        var reader = try EventReader(path: stream.path)
        repeat { #expect(try EventChain.leads(to: reader.checkpoint, in: stream.path)) } while try reader.next() != nil
    }

    /// Any changed byte, wherever it is.
    @Test func noChangedByteIsOverlooked() throws {
        let stream = try Stream(notes: 3)
        let checkpoint = try checkpoint(of: stream)
        let whole = try stream.bytes()
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0x04
            try stream.overwrite(bytes)
            #expect(try !EventChain.leads(to: checkpoint, in: stream.path), "byte \(place)")
        }
    }

    @Test func anotherPlaceIsNotLedTo() throws {
        let stream = try Stream(notes: 3)
        var checkpoint = try checkpoint(of: stream)
        checkpoint.seq += 1
        #expect(try !EventChain.leads(to: checkpoint, in: stream.path))
        checkpoint.seq -= 1
        checkpoint.hash = Event.noHash
        #expect(try !EventChain.leads(to: checkpoint, in: stream.path))
    }
}
