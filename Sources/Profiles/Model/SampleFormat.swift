package import JSON
package import Patterns

/// How the fields of a sample stand in its text.
package struct SampleFormat: Sendable {
    package enum Syntax: Sendable {
        /// The first match in the sample; each field is the group of its name.
        case regex(Pattern)
        /// The sample is a JSON document; the way to each field, in their order.
        case json([JSONPath])
        /// Each line of the sample is a row; for every column the index of its field, nil for one that is left out.
        case csv([Int?], CellSeparator)
        /// `key=value`, `key: value`; the key of each field, in their order.
        case keyValue([String])
    }

    package var syntax: Syntax
    /// In the order of the table's columns.
    package var fields: [SampleField]
    /// A field may be missing without that being a problem.
    package var isPatient = false
}

/// One value of a sample: a column of the collector's table.
package struct SampleField: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case number
        case text
    }

    package var name: String
    package var unit: String?
    /// What a value must be; nil: a number where it reads as one.
    package var kind: Kind?

    package init(name: String) { self.name = name }

    /// The table's own columns.
    package static let reserved = ["time", "target_time", "boottime_s", "tick", "exit", "text"]

    /// Stands for a column of CSV that is no field.
    static let leftOut = "_"
}

/// What divides the cells of a line.
package enum CellSeparator: Sendable, Equatable {
    /// One byte; cells may be quoted as in RFC 4180.
    case byte(UInt8)
    /// Blanks and tabs, any number of them.
    case blanks

    package static let comma = CellSeparator.byte(UInt8(ascii: ","))

    /// - Parameter word: as a profile has it.
    init?(_ word: String) {
        switch word {
        case "tab", "\t": self = .byte(UInt8(ascii: "\t"))
        case "blanks": self = .blanks
        default:
            guard let byte = word.utf8.first, word.utf8.count == 1, ",;|:".utf8.contains(byte) else { return nil }
            self = .byte(byte)
        }
    }

    /// As a profile has it.
    var word: String {
        switch self {
        case .blanks: "blanks"
        case .byte(UInt8(ascii: "\t")): "tab"
        case .byte(let byte): String(decoding: [byte], as: UTF8.self)
        }
    }
}
