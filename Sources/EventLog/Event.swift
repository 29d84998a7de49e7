package import JSON

/// One line of `events.jsonl`.
///
/// Format 1, a line each, UTF-8, ended by a newline, keys in this order:
/// ```json
/// {"seq":12,"time":"2026-01-27T14:30:52.123456Z","boottime_ns":81234567890,"boot":"…","type":"note","data":{…},"prev":"…"}
/// ```
/// - `seq` is gapless from 0.
/// - `time` (wall clock, UTC) and `boottime_ns` (CLOCK_BOOTTIME, comparable within one `boot`) say when the line was
///   appended; times of occurrence stand in `data`.
/// - `prev` is the SHA-256 of the previous line without its newline; 64 zeros for the first. The chain finds torn copies
///   and edits in the middle. It does not find a truncated or wholly rewritten file: compare the head hash for that.
///
/// Crash recovery: a last line that has no newline, or is not a valid successor, was never acknowledged. The writer puts
/// it aside, truncates the file and appends `log_recovered`. A bad line followed by valid ones is damage, never touched.
package struct Event: Sendable, Equatable {
    package let seq: Int64
    package let time: String
    package let boottimeNanoseconds: Int64
    package let boot: String
    package let type: EventType
    package let data: JSONObject
    /// The hash of the line before.
    package let previous: String

    package init(
        seq: Int64, time: String, boottimeNanoseconds: Int64, boot: String, type: EventType, data: JSONObject,
        previous: String
    ) {
        self.seq = seq
        self.time = time
        self.boottimeNanoseconds = boottimeNanoseconds
        self.boot = boot
        self.type = type
        self.data = data
        self.previous = previous
    }

    /// What stands before the first line: 64 zeros.
    package static let noHash = String(repeating: "0", count: 64)

    /// The line without its newline.
    package var line: [UInt8] { json.bytes }

    package var json: JSON {
        [
            "seq": .int(seq), "time": .string(time), "boottime_ns": .int(boottimeNanoseconds), "boot": .string(boot),
            "type": .string(type.rawValue), "data": .object(data), "prev": .string(previous),
        ]
    }

    /// Reads a line without its newline.
    /// - Throws: `EventLogError` with code `.badLine`.
    package init(line: some Collection<UInt8>) throws(EventLogError) {
        let json: JSON
        do { json = try JSON(parsing: line) } catch {
            throw EventLogError(.badLine, "not JSON: \(error)")
        }
        guard let seq = json["seq"]?.int, let time = json["time"]?.string, let boottime = json["boottime_ns"]?.int,
            let boot = json["boot"]?.string, let type = json["type"]?.string, let data = json["data"]?.object,
            let previous = json["prev"]?.string
        else { throw EventLogError(.badLine, "an event lacks one of seq, time, boottime_ns, boot, type, data, prev") }
        self.init(
            seq: seq, time: time, boottimeNanoseconds: boottime, boot: boot, type: EventType(rawValue: type),
            data: data, previous: previous)
    }
}

/// Why the event stream could not be read or written.
package struct EventLogError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// A line is not an event.
        case badLine
        /// A line is not the successor of the one before it: damage in the middle of the stream.
        case damaged
        /// The medium did not take the bytes; nothing more is acknowledged by this writer.
        case storage
        /// Somebody else has the right to append.
        case locked
        /// The file could not be opened.
        case unavailable
    }
    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
