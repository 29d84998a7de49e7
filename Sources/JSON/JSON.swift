/// A JSON value (RFC 8259) whose objects keep the order of their keys.
///
/// Own code, because the event stream needs exact 64-bit integers, a stable key order and microseconds per line, and a
/// command-line call must not pay for Foundation's start-up.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

/// The members of a JSON object in the order in which they were written. Setting a key to `nil` removes it.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package private(set) var members: [(key: String, value: JSON)] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, JSON?)...) {
        for (key, value) in elements { self[key] = value }
    }

    package subscript(key: String) -> JSON? {
        get { index(of: key).map { members[$0].value } }
        set {
            guard let index = index(of: key) else {
                if let newValue { members.append((key, newValue)) }
                return
            }
            if let newValue { members[index].value = newValue } else { members.remove(at: index) }
        }
    }

    /// Adds every member of `other`, replacing those of the same key.
    package mutating func merge(_ other: JSONObject) {
        for (key, value) in other.members { self[key] = value }
    }

    /// Keys are compared byte by byte: for Swift's `==` two spellings of `é` are one, for a file system they are two.
    private func index(of key: String) -> Int? {
        members.firstIndex { $0.key == key && $0.key.utf8.elementsEqual(key.utf8) }
    }

    /// For the parser, which has seen that the key is new.
    mutating func append(_ key: String, _ value: JSON) { members.append((key, value)) }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSON {
    package subscript(key: String) -> JSON? { object?[key] }

    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var int: Int64? {
        switch self {
        case .int(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON?)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
    package init(_ value: Int) { self = .int(Int64(value)) }
    package init(strings: some Sequence<String>) { self = .array(strings.map { .string($0) }) }
}
