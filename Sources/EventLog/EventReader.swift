import Glibc
import Hashing
package import JSON
package import LinuxSystem

/// A place in the stream between two lines, from which reading can go on: the number of the next event, its byte offset
/// and the hash of the line before it.
package struct Checkpoint: Sendable, Equatable {
    package var seq: Int64 = 0
    package var byteOffset: Int64 = 0
    package var hash: String = Event.noHash

    package init() {}

    package init?(json: JSON?) {
        guard let seq = json?["seq"]?.int, let offset = json?["byte_offset"]?.int, let hash = json?["hash"]?.string
        else {
            return nil
        }
        self.seq = seq
        self.byteOffset = offset
        self.hash = hash
    }

    package var json: JSON { ["seq": .int(seq), "byte_offset": .int(byteOffset), "hash": .string(hash)] }

    /// Checks that a line is the successor and moves behind it.
    mutating func accept(_ event: Event, line: some Collection<UInt8>) throws(EventLogError) {
        guard event.seq == seq else { throw EventLogError(.damaged, "seq is \(event.seq), expected \(seq)") }
        guard event.previous == hash else {
            throw EventLogError(.damaged, "the hash of the line before does not match: one of the two was changed")
        }
        seq += 1
        byteOffset += Int64(line.count) + 1
        hash = SHA256.hexDigest(of: line)
    }
}

/// Reads events in order, checking sequence and chain, in bounded memory. Owned by one caller.
package struct EventReader: ~Copyable {
    private let file: File
    /// Behind the last event that was read.
    package private(set) var checkpoint: Checkpoint
    private var buffer: [UInt8] = []
    private var consumed = 0
    private var fileOffset: Int64

    package init(path: String, from checkpoint: Checkpoint = Checkpoint()) throws(SystemError) {
        file = try File(path: path, O_RDONLY)
        self.checkpoint = checkpoint
        fileOffset = checkpoint.byteOffset
    }

    /// The next event; nil at the end of what is whole. Call again later for what was appended since.
    /// - Throws: `EventLogError` (`.badLine`, `.damaged`) naming the line, or `SystemError`.
    package mutating func next() throws -> Event? {
        guard let line = try nextLine() else { return nil }
        do {
            let event = try Event(line: line)
            try checkpoint.accept(event, line: line)
            return event
        } catch {
            let code = error.code == .damaged ? EventLogError.Code.damaged : .badLine
            throw EventLogError(code, "\(file.path): line \(checkpoint.seq + 1): \(error.message)")
        }
    }

    private mutating func nextLine() throws(SystemError) -> [UInt8]? {
        var searched = consumed
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                let line = Array(buffer[consumed..<newline])
                consumed = newline + 1
                return line
            }
            buffer.removeFirst(consumed)
            consumed = 0
            searched = buffer.count
            let more = try file.read(at: fileOffset, count: 65_536)
            if more.isEmpty { return nil }
            fileOffset += Int64(more.count)
            buffer += more
        }
    }
}
