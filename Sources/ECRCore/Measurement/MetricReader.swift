import Glibc
import JSON
import LinuxSystem
import Patterns
import Profiles

/// Takes one metric out of a file, in bounded memory. Blocks its thread; every failure is a word in the series.
struct MetricReader {
    private(set) var series: MetricSeries
    private let prepared: PreparedMetric

    /// - Parameter most: values that are taken.
    init(_ prepared: PreparedMetric, most: Int = MetricSeries.most) {
        self.prepared = prepared
        let metric = prepared.metric
        series = MetricSeries(
            name: metric.name, unit: metric.unit, isCount: metric.isCount, isRequired: metric.required,
            most: most)
    }

    /// What a job's files have of a metric.
    static func read(_ prepared: PreparedMetric, from files: JobFiles) -> MetricSeries {
        var reader = MetricReader(prepared)
        guard let file = files.file(prepared.place) else {
            reader.series.note("the file was not fetched")
            return reader.series
        }
        do { try reader.read(file.path, file.length) } catch { reader.series.note("\(error)") }
        return reader.series
    }

    /// - Parameter length: of the file, as far as it counts.
    mutating func read(_ path: String, _ length: Int64?) throws(SystemError) {
        if length == 0 { return series.note("there is no output") }
        switch prepared.metric.source {
        case .regex(let pattern, let group): try read(try LogLines(path, length: length), pattern, group)
        case .json(let way):
            if try !readDocument(path, length, way) { try readLines(try LogLines(path, length: length), way) }
        case .csv(let column, let separator):
            try read(try LogLines(path, length: length), column: column, separator)
        }
    }

    // MARK: Patterns

    /// Every match in every line, until the pattern is cut off: one that backtracks without end does so again.
    private mutating func read(_ lines: LogLines, _ pattern: Pattern, _ group: Int) throws(SystemError) {
        var lines = lines
        while !series.isFull, let line = try lines.next() {
            do throws(PatternError) { try take(line, pattern, group) } catch {
                series.note(error.message)
                return
            }
        }
    }

    private mutating func take(_ line: [UInt8], _ pattern: Pattern, _ group: Int) throws(PatternError) {
        var place = 0
        while let match = try pattern.firstMatch(in: line, from: place) {
            if let range = match.ranges[group] { series.add(line[range]) }
            // A match of nothing would be found again and again.
            place = max(match.whole.upperBound, place + 1)
        }
    }

    // MARK: JSON

    /// Origin: a document takes some twenty times its length in memory.
    private static let longestDocument: Int64 = 8 << 20

    /// Reads the file as one document; false where it is none.
    private mutating func readDocument(_ path: String, _ length: Int64?, _ way: JSONPath) throws(SystemError) -> Bool {
        let file = try File(path: path, O_RDONLY)
        let size = try file.size()
        let count = length.map { min($0, size) } ?? size
        guard count <= Self.longestDocument,
            let document = try? JSON(parsing: try file.read(at: 0, count: Int(count)), keepsDigits: true)
        else { return false }
        if !take(document, way) { series.note("it has no '\(way.text)'") }
        return true
    }

    /// Each line that is a document; others are passed over.
    private mutating func readLines(_ lines: LogLines, _ way: JSONPath) throws(SystemError) {
        var (lines, documents) = (lines, 0)
        while !series.isFull, let line = try lines.next() {
            guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }),
                first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
                let document = try? JSON(parsing: line, keepsDigits: true)
            else { continue }
            documents += 1
            take(document, way)
        }
        if series.values.isEmpty {
            series.note(documents == 0 ? "it is not JSON, and no line of it is" : "it has no '\(way.text)'")
        }
    }

    /// Adds what the way leads to; of arrays their elements.
    /// - Returns: whether it leads anywhere.
    @discardableResult
    private mutating func take(_ document: JSON, _ way: JSONPath) -> Bool {
        let found = way.values(in: document)
        for value in found.flatMap({ $0.array ?? [$0] }) { series.add(value) }
        return !found.isEmpty
    }

    // MARK: CSV

    private mutating func read(
        _ lines: LogLines, column: String, _ separator: CellSeparator?
    ) throws(SystemError) {
        var lines = lines
        var place: (index: Int, separator: CellSeparator)?
        while !series.isFull, let line = try lines.next() {
            guard let found = place else {
                guard line.contains(where: { $0 > 0x20 }) else { continue }
                place = Self.place(of: column, in: line, separator)
                guard place == nil else { continue }
                let names = (separator ?? .comma).cells(of: line).joined(separator: ", ")
                return series.note("its first line has no column '\(column)': \(names.prefix(200))")
            }
            let cells = found.separator.cells(of: line)
            if cells.isEmpty { continue }
            guard cells.indices.contains(found.index) else {
                series.note("a line has too few columns")
                continue
            }
            if cells[found.index].utf8.contains(where: { $0 > 0x20 }) { series.add(cells[found.index].utf8) }
        }
        if place == nil { series.note("it is empty") }
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
