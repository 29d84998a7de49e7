import Profiles
import RemoteJobs
import RunStore

/// The text of a collector's table, `logs/collectors/<name>.csv` (RFC 4180, lines end with LF).
///
/// Columns: `time` and `target_time` (UTC by the controller's and by the target's clock, computed from the uptime and the
/// offset that held then; empty where that was not known), `boottime_s` (the target's uptime), `tick`, `exit` (not of a
/// stream), then one a field, or `text`. Every sample has a row, one of which nothing could be taken as well; a sample of
/// CSV with several lines has a row for each.
struct SampleTable {
    private let fields: [SampleField]?
    private let hasExit: Bool

    init(_ collector: Collector) {
        fields = collector.parse?.fields
        hasExit = collector.interval != nil
    }

    var header: [UInt8] {
        let names = fields?.map(\.name) ?? ["text"]
        return Array(
            ((["time", "target_time", "boottime_s", "tick"] + (hasExit ? ["exit"] : []) + names).joined(separator: ",")
                + "\n").utf8)
    }

    /// The rows of one sample.
    /// - Parameter reading: what its format has found; nil for a collector without one.
    func rows(_ sample: Sample, _ reading: SampleReading?, _ clock: TargetClock?) -> [UInt8] {
        var start = [
            clock?.time(atUptime: sample.uptime) ?? "", clock?.targetTime(atUptime: sample.uptime) ?? "",
            "\(sample.uptime)", "\(sample.tick)",
        ]
        if hasExit { start.append(sample.status.map { String($0) } ?? "") }
        guard let fields, let reading else { return line(start + [CSVCell.quoted(Self.text(of: sample))]) }
        let rows = reading.rows.isEmpty ? [[String?](repeating: nil, count: fields.count)] : reading.rows
        return rows.reduce(into: []) { $0 += line(start + $1.map { CSVCell.text($0 ?? "") }) }
    }

    private func line(_ cells: [String]) -> [UInt8] { Array((cells.joined(separator: ",") + "\n").utf8) }

    /// Bytes that are not UTF-8 are replaced, since the log has them.
    private static func text(of sample: Sample) -> String {
        let text = String(decoding: sample.text, as: UTF8.self)
        return text.utf8.last == UInt8(ascii: "\n") ? String(text.unicodeScalars.dropLast()) : text
    }
}
