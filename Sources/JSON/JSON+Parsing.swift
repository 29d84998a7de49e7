/// Why a text is not JSON, with the byte at which it was seen.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    package let offset: Int
    package var description: String { "\(message) at byte \(offset)" }
}

extension JSON {
    /// Parses one JSON text (RFC 8259) with nothing behind it but white space.
    ///
    /// Strict where it matters for a record: valid UTF-8 only, no duplicate keys, no nesting beyond 128 levels.
    /// - Parameter keepsDigits: a number that would be rounded becomes a string, see `init(number:)`.
    /// - Throws: `JSONError`.
    package init(parsing bytes: some Collection<UInt8>, keepsDigits: Bool = false) throws(JSONError) {
        func parse(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<JSON, JSONError> {
            JSON.parse(buffer, keepsDigits: keepsDigits)
        }
        let contiguous: Result<JSON, JSONError>? = bytes.withContiguousStorageIfAvailable(parse)
        self = try (contiguous ?? Array(bytes).withUnsafeBufferPointer(parse)).get()
    }

    /// Parses an object, of which some members are arrays of objects that grow with the length of a run.
    /// - Parameter lists: their keys; what is an array comes by itself, and not in the object.
    package static func parse(
        _ bytes: [UInt8], lists keys: [String]
    ) throws(JSONError) -> (value: JSON, lists: [String: JSONList]) {
        let lists = Dictionary(uniqueKeysWithValues: keys.map { ($0, JSONList()) })
        return try bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var parser = Parser(bytes: buffer, keepsDigits: false, lists: lists)
                let value = try parser.text()
                return (value, parser.lists)
            }
        }.get()
    }

    package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }

    private static func parse(
        _ buffer: UnsafeBufferPointer<UInt8>, keepsDigits: Bool
    ) -> Result<JSON, JSONError> {
        var parser = Parser(bytes: buffer, keepsDigits: keepsDigits)
        return Result { () throws(JSONError) in try parser.text() }
    }
}

/// The keys of the object being parsed. Searching the few of a usual object is faster than hashing them; with more the
/// search would take quadratic time, minutes for the 100,000 keys that a hostile text may have.
private struct SeenKeys {
    private var hashed: Set<[UInt8]>?

    /// Notes a key that is about to be added to `object`; false when the object has it already.
    mutating func insert(_ key: String, into object: JSONObject) -> Bool {
        if object.members.count < 16 { return object[key] == nil }
        if hashed == nil { hashed = Set(object.members.map { Array($0.key.utf8) }) }
        return hashed?.insert(Array(key.utf8)).inserted ?? false
    }
}

/// The keys of an object of which nothing is made, by where they stand.
private struct SeenPlaces {
    private var keys: [Range<Int>] = []

    /// Origin: the objects of a manifest have up to twenty members; a search among more would take too long.
    private static let most = 32

    /// - Returns: false when it is there already, or one too many.
    mutating func insert(_ key: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let text = bytes[key]
        guard keys.count < Self.most, !keys.contains(where: { $0.count == key.count && bytes[$0].elementsEqual(text) })
        else { return false }
        keys.append(key)
        return true
    }
}

/// A recursive-descent parser over bytes that outlive it.
private struct Parser {
    let bytes: UnsafeBufferPointer<UInt8>
    let keepsDigits: Bool
    /// The outermost object's members that are lists.
    var lists: [String: JSONList]
    private var seenLists: Set<String> = []
    var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>, keepsDigits: Bool, lists: [String: JSONList] = [:]) {
        self.bytes = bytes
        self.keepsDigits = keepsDigits
        self.lists = lists
    }

    /// One value, and nothing behind it.
    mutating func text() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("unexpected text after the value") }
        return value
    }

    func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < 128 else { throw error("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
        default: throw error("expected a value")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { throw error("expected a value") }
        for offset in 0..<word.utf8CodeUnitCount where bytes[position + offset] != word.utf8Start[offset] {
            throw error("expected a value")
        }
        position = end
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var values: [JSON] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(values)
            default: throw error("expected ',' or ']'")
            }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var object = JSONObject()
        var seen = SeenKeys()
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(object)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("expected a key") }
            let key = try string()
            guard seen.insert(key, into: object) else { throw error("duplicate key \"\(key)\"") }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error("expected ':'") }
            position += 1
            skipSpace()
            if depth == 0, current == UInt8(ascii: "["), lists[key] != nil {
                try list(key)
            } else {
                object.append(key, try value(depth: depth + 1))
            }
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(object)
            default: throw error("expected ',' or '}'")
            }
        }
    }

    /// Looks whether an object is one, and makes nothing of it: it is kept as its text.
    private mutating func passObject(depth: Int) throws(JSONError) {
        let start = position
        position += 1
        var keys = SeenPlaces()
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("expected a key") }
            let key = position
            let isPlain = try passString()
            guard isPlain, keys.insert(key..<position, in: bytes) else {
                // Whether it is there already is known of its meaning only.
                position = start
                _ = try value(depth: depth)
                return
            }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error("expected ':'") }
            position += 1
            try passValue(depth: depth + 1)
            skipSpace()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return
            default: throw error("expected ',' or '}'")
            }
        }
    }

    private mutating func passValue(depth: Int) throws(JSONError) {
        guard depth < 128 else { throw error("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): try passObject(depth: depth)
        case UInt8(ascii: "\""): _ = try passString()
        // What is rare, or costs nothing.
        default: _ = try value(depth: depth)
        }
    }

    /// - Returns: whether it is as it stands there, without an escape.
    private mutating func passString() throws(JSONError) -> Bool {
        let start = position
        position += 1
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20, byte < 0x80 {
            position += 1
        }
        if current == UInt8(ascii: "\"") {
            position += 1
            return true
        }
        position = start
        _ = try string()
        return false
    }

    private mutating func list(_ key: String) throws(JSONError) {
        guard seenLists.insert(key).inserted else { throw error("duplicate key \"\(key)\"") }
        var list = JSONList()
        position += 1
        skipSpace()
        var isOver = current == UInt8(ascii: "]")
        while !isOver {
            skipSpace()
            let start = position
            guard current == UInt8(ascii: "{") else { throw error("expected an object") }
            try passObject(depth: 2)
            let text = bytes[start..<position]
            if text.contains(0x0A) {
                position = start
                list.append(try value(depth: 2))
            } else {
                list.append(line: text)
            }
            skipSpace()
            isOver = current == UInt8(ascii: "]")
            guard isOver || current == UInt8(ascii: ",") else { throw error("expected ',' or ']'") }
            if !isOver { position += 1 }
        }
        position += 1
        lists[key] = list
    }

    private func isDigit(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private mutating func digits() throws(JSONError) {
        guard isDigit(current) else { throw error("expected a digit") }
        while isDigit(current) { position += 1 }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        var isInteger = true
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
            if isDigit(current) { throw error("a number has no leading zeros") }
        } else {
            try digits()
        }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        if keepsDigits, let value = JSON(number: text) { return value }
        guard let value = Double(text), value.isFinite else { throw error("a number is out of range") }
        return .double(value)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(bytes[start..<position])
        }
        var unescaped = Array(bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try text(unescaped[...])
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &unescaped)
            case 0..<0x20: throw error("a control character must be escaped")
            default:
                unescaped.append(byte)
                position += 1
            }
        }
        throw error("the string does not end")
    }

    private func text(_ slice: some Collection<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("the string is not UTF-8") }
        return text
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw error("the string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            guard let scalar = try UnicodeScalar(surrogatePaired(unit)) else { throw error("a lone surrogate") }
            output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw error("an unknown escape")
        }
    }

    private mutating func surrogatePaired(_ unit: UInt32) throws(JSONError) -> UInt32 {
        guard (0xD800..<0xDC00).contains(unit) else { return unit }
        guard current == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
            throw error("a lone surrogate")
        }
        position += 2
        let low = try hexUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw error("a lone surrogate") }
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ isDigit($0) || (0x41...0x46).contains($0 & 0xDF) }),
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("expected four hexadecimal digits") }
        position += 4
        return unit
    }
}
