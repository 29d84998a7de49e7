/// The way to values within a JSON document: `gpu.temp`, `results[0].latency`, `latencies[*]`, `["a key"].x`, `$` for all.
///
/// Keys are divided by points; a key with other characters than letters, digits, `_` and `-` stands in `["…"]`. `[*]` takes
/// every element of an array.
package struct JSONPath: Sendable, Equatable {
    /// As it was written.
    package let text: String
    private var steps: [Step] = []

    private enum Step: Sendable, Equatable {
        case key(String)
        case index(Int)
        case all
    }

    /// - Throws: `JSONError` with the byte at which the path goes wrong.
    package init(_ text: String) throws(JSONError) {
        self.text = text
        var reader = PathReader(bytes: Array(text.utf8))
        if reader.take("$") {
            if reader.isAtEnd { return }
        } else if reader.current != UInt8(ascii: "[") {
            steps.append(.key(try reader.key()))
        }
        while !reader.isAtEnd {
            if reader.take(".") {
                steps.append(.key(try reader.key()))
            } else if reader.take("[") {
                steps.append(try step(&reader))
            } else {
                throw reader.error("expected '.' or '['")
            }
        }
        if steps.isEmpty { throw reader.error("a path needs a key") }
    }

    private func step(_ reader: inout PathReader) throws(JSONError) -> Step {
        let step: Step
        if reader.take("*") {
            step = .all
        } else if reader.current == UInt8(ascii: "\"") {
            step = .key(try reader.quoted())
        } else {
            step = .index(try reader.index())
        }
        guard reader.take("]") else { throw reader.error("expected ']'") }
        return step
    }

    /// What the path leads to in a document, in its order; nothing where it leads nowhere.
    package func values(in document: JSON) -> [JSON] {
        var found = [document]
        for step in steps {
            found = found.flatMap { value -> [JSON] in
                switch step {
                case .key(let key): return value[key].map { [$0] } ?? []
                case .index(let index):
                    guard let array = value.array, array.indices.contains(index) else { return [] }
                    return [array[index]]
                case .all: return value.array ?? []
                }
            }
        }
        return found
    }
}

/// Reads the words of a path.
private struct PathReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }
    var isAtEnd: Bool { position == bytes.count }

    func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    mutating func take(_ sign: Character) -> Bool {
        guard current == sign.asciiValue, current != nil else { return false }
        position += 1
        return true
    }

    mutating func key() throws(JSONError) -> String {
        let key = bytes[position...].prefix { byte in
            byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        guard !key.isEmpty else { throw error("expected a key; one with other signs stands in [\"…\"]") }
        position = key.endIndex
        return String(decoding: key, as: UTF8.self)
    }

    /// A JSON string.
    mutating func quoted() throws(JSONError) -> String {
        let start = position
        var end = start + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        guard end < bytes.count, case .string(let key)? = try? JSON(parsing: bytes[start...end]) else {
            throw error("the quoted key does not end, or is no JSON string")
        }
        position = end + 1
        return key
    }

    mutating func index() throws(JSONError) -> Int {
        let digits = bytes[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let index = Int(String(decoding: digits, as: UTF8.self)) else {
            throw error("expected a number, '*' or a key in double quotes")
        }
        position = digits.endIndex
        return index
    }
}
