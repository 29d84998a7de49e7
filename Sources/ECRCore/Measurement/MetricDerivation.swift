import EventLog
import JSON
import Profiles
import RunStore

/// The metrics of one job, taken from its stored files, and the events that record them.
struct MetricDerivation: Sendable {
    /// Greater than that of every earlier derivation of the job.
    let number: Int64
    let by: By
    private(set) var series: [MetricSeries] = []

    enum By: String, Sendable { case end, recompute }

    /// Reads the files; blocks its thread.
    init(_ metrics: [PreparedMetric], from files: JobFiles, number: Int64, by: By) {
        (self.number, self.by) = (number, by)
        series = metrics.map { MetricReader.read($0, from: files) }
    }

    private var missing: [MetricSeries] { series.filter { $0.values.isEmpty } }

    var warnings: [String] { series.compactMap(\.warning) }

    /// Whether a required metric was not found.
    var isFailure: Bool { missing.contains(where: \.isRequired) }

    /// The values, then `metrics_derived`, which makes them count.
    /// - Parameter profile: what it was taken by, where that is not the run's own.
    func events(_ job: JobState, profile: JSONObject = [:]) -> [(type: EventType, data: JSONObject)] {
        let head: JSONObject = [
            "target": .string(RunEngine.targetName), "action": .string(job.name), "job": .string(job.id),
        ]
        var events = series.flatMap { series in
            series.events(head, derivation: number).map { (type: EventType.metric, data: $0) }
        }
        var entries = JSONObject()
        for series in series { entries[series.name] = series.entry?.json }
        var data = head
        data["derivation"] = .int(number)
        data["by"] = .string(by.rawValue)
        data.merge(profile)
        data["metrics"] = .object(entries)
        if !missing.isEmpty { data["missing"] = .array(missing.map(\.missingJSON)) }
        events.append((.metricsDerived, data))
        return events
    }
}

extension MetricSeries {
    fileprivate var missingJSON: JSON {
        ["name": .string(name), "reason": .string(reason), "required": .bool(isRequired)]
    }
}

/// What is on record already of a job's metrics.
struct RecordedMetrics: Sendable {
    /// The number of the last derivation of which there is any event.
    private(set) var lastDerivation: Int64 = 0
    /// `metrics_derived`: the job's metrics need not be taken again.
    private(set) var derived: JSONObject?

    mutating func take(_ event: Event) {
        lastDerivation = max(lastDerivation, event.data["derivation"]?.int ?? 0)
        if event.type == .metricsDerived { derived = event.data }
    }

    /// As the derivation that was recorded had them.
    var outcome: (warnings: [String], isFailure: Bool)? {
        guard let derived else { return nil }
        let missing = derived["missing"]?.array ?? []
        return (
            missing.map { "metric \($0["name"]?.string ?? "?"): not found: \($0["reason"]?.string ?? "?")" },
            missing.contains { $0["required"]?.bool == true }
        )
    }
}
