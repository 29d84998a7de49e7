import EventLog
import JSON
import RunStore

/// The numbers of one metric of one job.
struct MetricSeries: Equatable {
    let name: String
    let unit: String?
    let isCount: Bool
    let isRequired: Bool
    /// As they were written: see `JSON.init(number:)`.
    private(set) var values: [JSON] = []
    /// What was wrong, said once: the reason of a metric that is missing, else a remark.
    private(set) var problem: String?

    private let most: Int

    /// Origin: a value each millisecond for a quarter of an hour; they are held in memory.
    static let most = 1_000_000

    init(
        name: String, unit: String? = nil, isCount: Bool = false, isRequired: Bool = false, most: Int = Self.most
    ) {
        (self.name, self.unit, self.isCount, self.isRequired) = (name, unit, isCount, isRequired)
        self.most = most
    }

    /// No value is added any more.
    var isFull: Bool { values.count >= most }

    mutating func note(_ problem: String) { if self.problem == nil { self.problem = problem } }

    /// Adds a number; what is none is noted.
    mutating func add(_ value: JSON) {
        guard value.measure != nil else {
            let text = value.string ?? value.text
            return note("'\(text.count > 40 ? text.prefix(40) + "…" : text)' is not a number")
        }
        if !isFull { values.append(value) }
        // Nothing else is worth as much as that.
        if isFull { problem = "only its first \(most) values were taken" }
    }

    var entry: JobMetrics.Entry? {
        Aggregates(values.compactMap(\.measure), last: values.last).map {
            JobMetrics.Entry(name: name, unit: unit, isCount: isCount, $0)
        }
    }

    /// One line for the operator: what is missing, or odd.
    var warning: String? {
        if values.isEmpty { return "metric \(name): not found: \(reason)" }
        return problem.map { "metric \(name): \($0)" }
    }

    var reason: String { problem ?? "nothing matches" }

    /// The events of its values, each of at most `batch`.
    func events(_ head: JSONObject, derivation: Int64) -> [JSONObject] {
        stride(from: 0, to: values.count, by: Self.batch).map { first in
            let piece = values[first..<min(first + Self.batch, values.count)]
            var data = head
            data["name"] = .string(name)
            if values.count == 1 {
                data["value"] = values[0]
            } else {
                data["values"] = .array(Array(piece))
                data["first"] = JSON(first)
            }
            data["unit"] = unit.map { .string($0) }
            data["derivation"] = .int(derivation)
            return data
        }
    }

    /// Origin: an event of some ten kilobytes.
    private static let batch = 1000
}
