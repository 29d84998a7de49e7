import EventLog
import Glibc
import JSON
import LinuxSystem
import Testing

@Suite struct EventReaderTests {
    @Test func aTornTailIsNotRead() throws {
        let stream = try Stream(notes: 3)
        let bytes = try stream.bytes()
        try stream.overwrite(bytes.dropLast(5))
        #expect(try stream.events().count == 2)
        try stream.overwrite(bytes + Array("{\"seq\":3".utf8))
        #expect(try stream.events().count == 3)
    }

    /// A power cut may leave a last line that has its newline and is none: the writer puts it aside as well.
    @Test func aLastLineThatIsNoEventIsTorn() throws {
        let stream = try Stream(notes: 2)
        try stream.overwrite(try stream.bytes() + [0, 0, 0, 0x0A])
        var reader = try EventReader(path: stream.path)
        #expect(try reader.next()?.seq == 0 && reader.next()?.seq == 1)
        #expect(try reader.next() == nil && reader.next() == nil)
        try stream.append(.note)
        #expect(try stream.events().map(\.type) == [.note, .note, .logRecovered, .note])
    }

    @Test func readingGoesOnWhereItEnded() throws {
        let stream = try Stream(notes: 2)
        var reader = try EventReader(path: stream.path)
        while try reader.next() != nil {}
        let writer = try EventWriter(path: stream.path)
        try writer.appendBlocking(.note, ["text": "later"])
        #expect(try reader.next()?.seq == 2)
        var other = try EventReader(path: stream.path, from: reader.checkpoint)
        #expect(try other.next() == nil)
        #expect(reader.checkpoint.byteOffset == Int64(try stream.size()))
    }

    @Test func linesLongerThanTheBufferAreRead() throws {
        let stream = try Stream()
        let long = String(repeating: "x", count: 300_000)
        let writer = try EventWriter(path: stream.path)
        for _ in 0..<3 { try writer.appendBlocking(.note, ["text": .string(long)]) }
        #expect(try stream.events().map { $0.data["text"]?.string } == [long, long, long])
    }

    @Test func aChangeInTheMiddleIsDamageAndNamesItsLine() throws {
        let stream = try Stream(notes: 4)
        var bytes = try stream.bytes()
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "n"), after: "\"text\":\""))
        bytes[place] = UInt8(ascii: "N")
        try stream.overwrite(bytes)
        let error = #expect(throws: EventLogError.self) { try stream.events() }
        #expect(error?.code == .damaged)
        #expect(
            error?.message
                == "\(stream.path): line 2: the hash of the line before does not match: one of the two was changed")
    }

    @Test func aMissingLineIsDamage() throws {
        let stream = try Stream(notes: 4)
        var lines = try stream.bytes().split(separator: 0x0A).map { Array($0) + [0x0A] }
        lines.remove(at: 1)
        try stream.overwrite(lines.flatMap { $0 })
        let error = #expect(throws: EventLogError.self) { try stream.events() }
        #expect(error?.message == "\(stream.path): line 2: seq is 2, expected 1")
    }

    @Test func garbageInTheMiddleIsABadLine() throws {
        let stream = try Stream(notes: 3)
        var lines = try stream.bytes().split(separator: 0x0A).map { Array($0) + [0x0A] }
        lines[1] = Array("garbage\n".utf8)
        try stream.overwrite(lines.flatMap { $0 })
        let error = #expect(throws: EventLogError.self) { try stream.events() }
        #expect(error?.code == .badLine)
    }
}

extension [UInt8] {
    /// The first place of a byte behind the first occurrence of a text.
    fileprivate func firstIndex(of byte: UInt8, after text: String) -> Int? {
        let pattern = Array(text.utf8)
        guard let start = indices.first(where: { self[$0...].starts(with: pattern) }) else { return nil }
        return self[(start + pattern.count)...].firstIndex(of: byte)
    }
}
