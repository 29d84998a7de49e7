import EventLog
import Glibc
import JSON
import LinuxSystem
import TestSupport

/// A stream in a scratch directory.
struct Stream {
    let scratch: ScratchDirectory
    var path: String { scratch.path("events.jsonl") }

    init() throws { scratch = try ScratchDirectory(isInMemory: true) }

    /// A stream with this many notes, closed again.
    init(notes: Int) throws {
        try self.init()
        let writer = try EventWriter(path: path)
        for index in 0..<notes { try writer.appendBlocking(.note, ["text": .string("note \(index)")]) }
        writer.close()
    }

    /// One event by a writer of its own.
    @discardableResult
    func append(_ type: EventType, _ data: JSONObject = [:]) throws -> Event {
        let writer = try EventWriter(path: path)
        defer { writer.close() }
        return try writer.appendBlocking(type, data)
    }

    func bytes() throws -> [UInt8] { try FileSystem.read(path) }

    func size() throws -> Int { Int(try File(path: path, O_RDONLY).size()) }

    func overwrite(_ bytes: [UInt8]) throws { try scratch.write("events.jsonl", bytes: bytes) }

    /// All events; throws what the reader throws.
    func events() throws -> [Event] {
        var reader = try EventReader(path: path)
        var events: [Event] = []
        while let event = try reader.next() { events.append(event) }
        return events
    }

    /// The kept pieces of torn lines.
    func torn() throws -> [String] { try FileSystem.list(scratch.path).filter { $0.contains(".torn-") } }
}

/// The length of the last line with its newline.
func lastLineLength(_ bytes: [UInt8]) -> Int {
    bytes.count - ((bytes.dropLast().lastIndex(of: 0x0A) ?? -1) + 1)
}
