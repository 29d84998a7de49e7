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
        try checkSeq(of: event)
        try checkChain(to: event)
        move(behind: event, line: line)
    }

    func checkSeq(of event: Event) throws(EventLogError) {
        guard event.seq == seq else { throw EventLogError(.damaged, "seq is \(event.seq), expected \(seq)") }
    }

    func checkChain(to event: Event) throws(EventLogError) {
        guard event.previous == hash else {
            throw EventLogError(.damaged, "the hash of the line before does not match: one of the two was changed")
        }
    }

    /// Moves behind a line, whatever stood before it.
    mutating func move(behind event: Event, line: some Collection<UInt8>) {
        // No trap at the largest number, which a damaged line may have.
        seq = event.seq &+ 1
        byteOffset += Int64(line.count) + 1
        hash = SHA256.hexDigest(of: line)
    }

    /// Moves behind a line that is no event.
    mutating func skip(length: Int64) {
        seq &+= 1
        byteOffset += length + 1
    }
}

/// Reads events in order, checking sequence and chain, in bounded memory. Owned by one caller.
package struct EventReader: ~Copyable {
    private var lines: LineReader
    /// Behind the last event that was read.
    package private(set) var checkpoint: Checkpoint

    package init(path: String, from checkpoint: Checkpoint = Checkpoint()) throws(SystemError) {
        lines = LineReader(try File(path: path, O_RDONLY), from: checkpoint.byteOffset)
        self.checkpoint = checkpoint
    }

    /// The next event; nil at the end of what is whole: a torn last line, which the next writer puts aside, is none.
    /// Call again later for what was appended since.
    /// - Throws: `EventLogError` (`.badLine`, `.damaged`) naming the line, or `SystemError`.
    package mutating func next() throws -> Event? {
        guard let line = try lines.next() else { return nil }
        let event: Event
        do throws(EventLogError) { event = try Event(line) } catch {
            if try lines.isAtEnd() && !line.isTooLong {
                lines.unread(line)
                return nil
            }
            throw located(error)
        }
        do throws(EventLogError) { try checkpoint.accept(event, line: line.bytes) } catch { throw located(error) }
        return event
    }

    private func located(_ error: EventLogError) -> EventLogError {
        EventLogError(error.code, "\(lines.path): line \(checkpoint.seq + 1): \(error.message)")
    }
}

extension Event {
    /// - Throws: `EventLogError` with code `.badLine`.
    init(_ line: LineReader.Line) throws(EventLogError) {
        if line.isTooLong { throw EventLogError(.badLine, "a line of \(line.length) bytes is no event") }
        try self.init(line: line.bytes)
    }
}
