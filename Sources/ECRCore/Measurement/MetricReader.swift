import Glibc
import JSON
import LinuxSystem
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
        if case .json(let way) = prepared.metric.source, try readDocument(path, length, way) { return }
        try read(try LogLines(path, length: length))
    }

    private mutating func read(_ lines: LogLines) throws(SystemError) {
        var (lines, reader) = (lines, MetricLineReader(prepared.metric.source))
        while !series.isFull, !reader.isOver, let line = try lines.next() {
            let found = reader.take(line)
            for value in found.values { series.add(value) }
            if let problem = found.problem { series.note(problem) }
        }
        if series.values.isEmpty, let problem = reader.problemAtEnd { series.note(problem) }
    }

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
        let found = MetricLineReader.values(way, in: document)
        for value in found ?? [] { series.add(value) }
        if found == nil { series.note("it has no '\(way.text)'") }
        return true
    }
}
