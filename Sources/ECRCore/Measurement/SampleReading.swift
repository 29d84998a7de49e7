import JSON
import Patterns
import Profiles

/// What a collector's format finds in the text of one sample.
struct SampleReading: Equatable {
    /// For every row a cell a field, as it was written; nil where there is none.
    private(set) var rows: [[String?]] = []
    /// Why something is missing: sentences of which a format has few, so that each can be said once.
    private(set) var problems: [String] = []
    /// It names the columns and is no measurement.
    private(set) var isHeading = false
    private let fields: [SampleField]
    private let isPatient: Bool

    /// The pattern was cut off.
    private(set) var isCutOff = false
    /// Whether anything was found, or nothing was to be expected.
    var isParsed: Bool { isHeading || rows.contains { $0.contains { $0 != nil } } }

    init(_ text: [UInt8], _ format: SampleFormat) {
        (fields, isPatient) = (format.fields, format.isPatient)
        switch format.syntax {
        case .regex(let pattern): read(text, pattern)
        case .json(let paths): read(text, paths)
        case .csv(let columns, let separator): read(text, columns, separator)
        case .keyValue(let keys): read(text, keys)
        }
    }

    /// A sample that was not looked into.
    fileprivate init(_ format: SampleFormat, problem: String) {
        (fields, isPatient) = (format.fields, format.isPatient)
        problems = [problem]
    }

    /// The values of each row, numbers as such; a cell that is too long for an event stands in the table only.
    var values: [JSONObject] {
        rows.map { row in
            var values = JSONObject()
            for (field, cell) in zip(fields, row) {
                guard let cell, cell.utf8.count <= Self.longestValue else { continue }
                values[field.name] = field.kind == .text ? .string(cell) : JSON(number: cell) ?? .string(cell)
            }
            return values
        }
    }

    /// Origin: no measurement is longer; a message of an error may be.
    private static let longestValue = 1024

    // MARK: The ways of writing

    private mutating func read(_ text: [UInt8], _ pattern: Pattern) {
        do throws(PatternError) {
            guard let match = try pattern.firstMatch(in: text) else { return note("it does not match the pattern") }
            add(
                pattern.groups.map { group in
                    match.ranges[group.number].map { String(decoding: text[$0], as: UTF8.self) }
                })
        } catch {
            isCutOff = error.code == .cutOff
            note(error.message)
        }
    }

    private mutating func read(_ text: [UInt8], _ paths: [JSONPath]) {
        guard let document = try? JSON(parsing: text, keepsDigits: true) else { return note("it is not JSON") }
        add(
            paths.map { path in
                guard let value = path.values(in: document).first else {
                    note("it has no '\(path.text)'")
                    return nil
                }
                return value == .null ? nil : value.string ?? value.text
            })
    }

    private mutating func read(_ text: [UInt8], _ columns: [Int?], _ separator: CellSeparator) {
        for line in text.split(separator: 0x0A) {
            let cells = separator.cells(of: line)
            if cells.isEmpty { continue }
            guard cells.count == columns.count else {
                note("it does not have \(columns.count) \(columns.count == 1 ? "column" : "columns")")
                continue
            }
            var row = [String?](repeating: nil, count: fields.count)
            for (cell, column) in zip(cells, columns) { if let column { row[column] = Self.trimmed(cell) } }
            if row == fields.map(\.name) { isHeading = true } else { add(row) }
        }
        if rows.isEmpty && problems.isEmpty && !isHeading { note("it is empty") }
    }

    private mutating func read(_ text: [UInt8], _ keys: [String]) {
        let cells = keys.map { KeyValueText.value(of: $0, in: text) }
        for (key, cell) in zip(keys, cells) where cell == nil && !isPatient { note("it has no '\(key)'") }
        if isPatient && cells.allSatisfy({ $0 == nil }) {
            note("the target has none of \(keys.joined(separator: ", "))")
        }
        add(cells)
    }

    private mutating func add(_ cells: [String?]) {
        rows.append(
            zip(fields, cells).map { field, cell in
                guard let cell = cell.map(Self.trimmed), !cell.isEmpty else { return nil }
                if field.kind == .number, JSON(number: cell) == nil {
                    note("'\(field.name)' is not a number")
                    return nil
                }
                return cell
            })
    }

    private mutating func note(_ problem: String) { if !problems.contains(problem) { problems.append(problem) } }

    private static func trimmed(_ text: String) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let bytes = text.utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return bytes.count == text.utf8.count ? text : String(decoding: Array(bytes), as: UTF8.self)
    }
}

/// Reads the samples of one collector. A pattern that is cut off again and again is given up: each time costs
/// milliseconds, and a stream may have a thousand lines a second.
struct SampleReader {
    private let format: SampleFormat
    private var cutOffs = 0

    /// Origin: half a second of work altogether.
    private static let mostCutOffs = 100

    init(_ format: SampleFormat) { self.format = format }

    mutating func read(_ text: [UInt8]) -> SampleReading {
        if cutOffs >= Self.mostCutOffs { return .unread(format, cutOffs) }
        let reading = SampleReading(text, format)
        if reading.isCutOff { cutOffs += 1 }
        return reading
    }
}

extension SampleReading {
    fileprivate static func unread(_ format: SampleFormat, _ cutOffs: Int) -> SampleReading {
        SampleReading(format, problem: "the pattern was cut off \(cutOffs) times and is not tried any more")
    }
}

/// `key=value` and `key: value`, anywhere in a text; a value ends at white space, a comma or a semicolon, or stands in
/// double quotes.
enum KeyValueText {
    /// The value of the key's first occurrence with one; nil where there is none.
    static func value(of key: String, in text: [UInt8]) -> String? {
        let key = Array(key.utf8)
        guard let first = key.first else { return nil }
        var place = 0
        while let start = text[place...].firstIndex(of: first) {
            place = start + 1
            guard start == 0 || isBoundary(text[start - 1]), text[start...].starts(with: key) else { continue }
            var rest = text[(start + key.count)...].drop(while: isBlank)
            guard let sign = rest.first, sign == UInt8(ascii: "=") || sign == UInt8(ascii: ":") else { continue }
            rest = rest.dropFirst().drop(while: isBlank)
            let value: ArraySlice<UInt8>
            if rest.first == UInt8(ascii: "\"") {
                value = rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") && $0 != 0x0A }
            } else {
                value = rest.prefix { !isBoundary($0) }
            }
            if !value.isEmpty { return String(decoding: value, as: UTF8.self) }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isBoundary(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) || ",;{}()|".utf8.contains(byte)
    }
}
