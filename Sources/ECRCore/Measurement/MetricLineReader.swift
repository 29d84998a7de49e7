import JSON
import Patterns
import Profiles

/// Takes one metric out of lines, one after the other: of a file that is there, or of output as it comes.
struct MetricLineReader {
    private let source: Metric.Source
    /// Which column it is, once the line with the names has come.
    private var column: (index: Int, separator: CellSeparator)?
    /// Whether no further line can have a value.
    private(set) var isOver = false
    private var documents = 0

    init(_ source: Metric.Source) { self.source = source }

    /// What a line has: numbers as they were written, and texts that should be some.
    struct Found {
        var values: [JSON] = []
        var problem: String?
    }

    mutating func take(_ line: [UInt8]) -> Found {
        switch source {
        case .regex(let pattern, let group): takeMatches(line, pattern, group)
        case .json(let way): takeDocument(line, way)
        case .csv(let name, let separator): takeCells(line, name, separator)
        }
    }

    /// Whether the line with the names of the columns has not come.
    var needsNames: Bool { if case .csv = source { column == nil && !isOver } else { false } }

    /// What is wrong where no line had a value.
    var problemAtEnd: String? {
        switch source {
        case .regex: nil
        case .json(let way): documents == 0 ? "it is not JSON, and no line of it is" : "it has no '\(way.text)'"
        case .csv: column == nil ? "it is empty" : nil
        }
    }

    /// A number as a text has it, else that text.
    private static func value(_ text: some Sequence<UInt8>) -> JSON {
        let text = String(decoding: Array(text), as: UTF8.self)
        let word = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return JSON(number: word) ?? .string(word)
    }

    /// Every match, until the pattern is cut off: one that backtracks without end does so again.
    private mutating func takeMatches(_ line: [UInt8], _ pattern: Pattern, _ group: Int) -> Found {
        var found = Found()
        var place = 0
        do throws(PatternError) {
            while let match = try pattern.firstMatch(in: line, from: place) {
                if let range = match.ranges[group] { found.values.append(Self.value(line[range])) }
                // A match of nothing would be found again and again.
                place = max(match.whole.upperBound, place + 1)
            }
        } catch {
            found.problem = error.message
            isOver = true
        }
        return found
    }

    /// A line that is no document is passed over.
    private mutating func takeDocument(_ line: [UInt8], _ way: JSONPath) -> Found {
        guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
            let document = try? JSON(parsing: line, keepsDigits: true)
        else { return Found() }
        documents += 1
        return Found(values: Self.values(way, in: document) ?? [])
    }

    /// What a way leads to, of arrays their elements; nil where it leads nowhere.
    static func values(_ way: JSONPath, in document: JSON) -> [JSON]? {
        let found = way.values(in: document)
        return found.isEmpty ? nil : found.flatMap { $0.array ?? [$0] }
    }

    private mutating func takeCells(_ line: [UInt8], _ name: String, _ separator: CellSeparator?) -> Found {
        guard let column else {
            guard line.contains(where: { $0 > 0x20 }) else { return Found() }
            column = Self.place(of: name, in: line, separator)
            guard column == nil else { return Found() }
            isOver = true
            let names = (separator ?? .comma).cells(of: line).joined(separator: ", ")
            return Found(problem: "its first line has no column '\(name)': \(names.prefix(200))")
        }
        let cells = column.separator.cells(of: line)
        if cells.isEmpty { return Found() }
        guard cells.indices.contains(column.index) else { return Found(problem: "a line has too few columns") }
        let cell = cells[column.index]
        return Found(values: cell.utf8.contains { $0 > 0x20 } ? [Self.value(cell.utf8)] : [])
    }

    /// Which column it is, by the first separator that makes it one.
    private static func place(
        of column: String, in line: [UInt8], _ separator: CellSeparator?
    ) -> (index: Int, separator: CellSeparator)? {
        let candidates = separator.map { [$0] } ?? ",;\t|".utf8.map { CellSeparator.byte($0) }
        // A byte order mark is none of the first name's letters.
        let line = line.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(line.dropFirst(3)) : line
        for candidate in candidates {
            let names = candidate.cells(of: line).map { $0.split(separator: " ").joined(separator: " ") }
            if let index = names.firstIndex(of: column) { return (index, candidate) }
        }
        return nil
    }
}
