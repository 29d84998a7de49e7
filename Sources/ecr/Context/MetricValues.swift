import ECRCore
import EventLog
import JSON
import RunStore

/// Every value of every metric of a run that counts: those of each job's last derivation.
struct MetricValues {
    struct Series {
        let job: JobState
        let name: String
        let unit: String?
        fileprivate(set) var values: [JSON] = []
    }

    private(set) var series: [Series] = []

    /// Reads the stream.
    init(_ run: RunDirectory, _ state: RunState) throws {
        var places: [String: Int] = [:]
        var reader = try EventReader(path: run.events)
        while let event = try reader.next() {
            guard event.type == .metric, let job = event.data["job"]?.string.flatMap(state.job),
                event.data["derivation"]?.int == job.metrics?.derivation, let name = event.data["name"]?.string
            else { continue }
            let place = places["\(job.id) \(name)"] ?? series.count
            places["\(job.id) \(name)"] = place
            if place == series.count { series.append(Series(job: job, name: name, unit: event.data["unit"]?.string)) }
            series[place].values += event.data["values"]?.array ?? event.data["value"].map { [$0] } ?? []
        }
    }

    func values(of job: String, _ name: String) -> [JSON] {
        series.first { $0.job.id == job && $0.name == name }?.values ?? []
    }

    /// RFC 4180, a row a value; numbers as they were written.
    func printTable() throws {
        Terminal.result("action,job,metric,index,value,unit")
        for series in series {
            let (head, unit) = ("\(series.job.name),\(series.job.id),\(series.name)", CSVCell.text(series.unit ?? ""))
            for (index, value) in series.values.enumerated() {
                Terminal.result("\(head),\(index),\(value.string ?? value.text),\(unit)")
            }
        }
    }
}
