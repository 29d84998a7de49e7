import Glibc
package import LinuxSystem

/// Reads a stream as it is, damage included: every line that is not the successor of the one before is named, and reading
/// goes on behind it. In bounded memory; owned by one caller.
///
/// What follows a bad line is taken as it stands: its numbers and hashes are compared with one another again.
package struct EventInspector: ~Copyable {
    /// A line that is not what it has to be.
    package struct Damage: Sendable, Equatable {
        /// From 1, as editors count.
        package let line: Int64
        /// The seq that the line has to have.
        package let seq: Int64
        package let message: String
    }

    /// One line.
    package struct Step: Sendable {
        /// Nil for a line that is no event.
        package let event: Event?
        package let damage: Damage?
        /// From 1.
        package let line: Int64
    }

    private var lines: LineReader
    /// Behind the last line that was read: the seq that the next one must have, its offset, and the hash that it must name.
    package private(set) var checkpoint = Checkpoint()
    /// Bytes of a torn last line, known at the end: the next writer puts them aside.
    package private(set) var torn: Int64 = 0
    private var line: Int64 = 0
    /// Behind a line that is no event: nobody knows which hash its successor has to name.
    private var isAdrift = false

    /// - Parameter end: where the stream is taken to end; what is appended later is not looked at.
    package init(path: String, upTo end: Int64) throws(SystemError) {
        lines = LineReader(try File(path: path, O_RDONLY), upTo: end)
    }

    /// The next line; nil at the end, where `torn` is known.
    package mutating func next() throws(SystemError) -> Step? {
        guard let text = try lines.next() else {
            torn = lines.remainder
            return nil
        }
        do throws(EventLogError) { return step(to: try Event(text), text.bytes) } catch {
            // As the writer's recovery sees it: only what nothing follows is torn.
            if try lines.isAtEnd() {
                torn = text.length + 1
                return nil
            }
            return step(over: text, error)
        }
    }

    private mutating func step(to event: Event, _ bytes: [UInt8]) -> Step {
        line += 1
        var damage: Damage?
        do throws(EventLogError) {
            try checkpoint.checkSeq(of: event)
            if !isAdrift { try checkpoint.checkChain(to: event) }
        } catch { damage = Damage(line: line, seq: checkpoint.seq, message: error.message) }
        isAdrift = false
        checkpoint.move(behind: event, line: bytes)
        return Step(event: event, damage: damage, line: line)
    }

    private mutating func step(over text: LineReader.Line, _ error: EventLogError) -> Step {
        line += 1
        let damage = Damage(line: line, seq: checkpoint.seq, message: error.message)
        isAdrift = true
        checkpoint.skip(length: text.length)
        return Step(event: nil, damage: damage, line: line)
    }
}
