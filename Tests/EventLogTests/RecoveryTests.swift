import EventLog
import Glibc
import JSON
import LinuxSystem
import TestSupport
import Testing

@Suite struct RecoveryTests {
    @Test func aNewStreamIsEmpty() throws {
        let stream = try Stream()
        let writer = try EventWriter(path: stream.path)
        #expect(writer.lastEvent == nil)
        #expect(try stream.events().isEmpty)
        #expect(try writer.appendBlocking(.note, [:]).seq == 0)
    }

    @Test func anEmptyFileIsAnEmptyStream() throws {
        let stream = try Stream()
        try stream.overwrite([])
        let first = try stream.append(.note)
        #expect(first.previous == Event.noHash)
        #expect(try stream.torn() == [])
    }

    @Test func theChainGoesOnAfterAReopening() throws {
        let stream = try Stream(notes: 2)
        let writer = try EventWriter(path: stream.path)
        #expect(writer.lastEvent?.seq == 1)
        try writer.appendBlocking(.note, [:])
        #expect(try stream.events().map(\.seq) == [0, 1, 2])
    }

    /// Power may go at every byte of the last line.
    @Test func aLineTornAtEveryByteIsPutAside() throws {
        let whole = try Stream(notes: 3).bytes()
        let length = lastLineLength(whole)
        for kept in 1..<length {
            let stream = try Stream()
            try stream.overwrite(Array(whole.prefix(whole.count - length + kept)))
            let writer = try EventWriter(path: stream.path)
            #expect(writer.lastEvent?.seq == 1)
            try writer.appendBlocking(.note, ["text": "after"])
            let events = try stream.events()
            #expect(events.map(\.type) == [.note, .note, .logRecovered, .note], "\(kept) bytes kept")
            #expect(events[2].data["bytes"]?.int == Int64(kept))
            let name = try #require(events[2].data["kept_as"]?.string)
            #expect(try FileSystem.read(stream.scratch.path(name)) == Array(whole.suffix(length).prefix(kept)))
        }
    }

    /// Within a line it is put aside, between two lines it is not torn: nothing of what stands before is touched.
    @Test func aTailTornAtEveryByteOfTheLastThreeLines() throws {
        let whole = try Stream(notes: 6).bytes()
        let lines = whole.split(separator: 0x0A).suffix(3).reduce(0) { $0 + $1.count + 1 }
        for kept in (whole.count - lines)..<whole.count {
            let stream = try Stream()
            try stream.overwrite(Array(whole.prefix(kept)))
            try stream.append(.note, ["text": "after"])
            let events = try stream.events()
            let good = whole.prefix(kept).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            #expect(try stream.bytes().starts(with: whole.prefix(good)))
            #expect(events.last?.data["text"]?.string == "after")
            #expect(events.filter { $0.type == .logRecovered }.count == (good < kept ? 1 : 0), "\(kept) bytes kept")
        }
    }

    @Test func aTornLineBehindDamageIsNotTouched() throws {
        let stream = try Stream(notes: 5)
        var bytes = try stream.bytes()
        let place = try #require(bytes.firstRange(of: Array("note 1".utf8)))
        bytes[place.lowerBound] = UInt8(ascii: "N")
        bytes.removeLast(9)
        try stream.overwrite(bytes)
        let error = #expect(throws: EventLogError.self) { try EventWriter(path: stream.path) }
        #expect(error?.code == .damaged)
        #expect(try stream.bytes() == bytes)
        #expect(try stream.torn() == [])
    }

    @Test(arguments: ["garbage\n", "\n", "{\"seq\":2}\n"])
    func aLastLineThatIsNoEventIsPutAside(_ line: String) throws {
        let stream = try Stream(notes: 2)
        try stream.overwrite(try stream.bytes() + Array(line.utf8))
        try stream.append(.note)
        #expect(try stream.events().map(\.type) == [.note, .note, .logRecovered, .note])
        #expect(try stream.torn().count == 1)
    }

    @Test func aFirstLineThatIsTornLeavesAnEmptyStream() throws {
        let stream = try Stream(notes: 1)
        try stream.overwrite(Array(try stream.bytes().dropLast(3)))
        try stream.append(.note)
        #expect(try stream.events().map(\.type) == [.logRecovered, .note])
    }

    @Test func aTailOfZerosIsPutAside() throws {
        let stream = try Stream(notes: 2)
        try stream.overwrite(try stream.bytes() + [UInt8](repeating: 0, count: 200_000))
        try stream.append(.note)
        #expect(try stream.events().map(\.type) == [.note, .note, .logRecovered, .note])
    }

    @Test func damageBeforeTheLastLineIsNeverTouched() throws {
        let stream = try Stream(notes: 2)
        let bytes = try stream.bytes() + Array("garbage\nmore garbage\n".utf8)
        try stream.overwrite(bytes)
        let error = #expect(throws: EventLogError.self) { try EventWriter(path: stream.path) }
        #expect(error?.code == .damaged)
        #expect(try stream.bytes() == bytes)
        #expect(try stream.torn() == [])
    }

    @Test func aBadLineBeforeATornOneIsDamage() throws {
        let stream = try Stream(notes: 2)
        let bytes = try stream.bytes() + Array("garbage\n{\"seq".utf8)
        try stream.overwrite(bytes)
        let error = #expect(throws: EventLogError.self) { try EventWriter(path: stream.path) }
        #expect(error?.code == .damaged)
        #expect(try stream.bytes() == bytes)
    }
}
