import JSON
import LinuxSystem
import Profiles
package import RunStore

/// What the collectors saw while each job ran, from their tables: the samples whose time, by the controller's clock, lies
/// between the job's beginning and its end.
///
/// Each table is read once, in bounded memory but for the numbers that lie in windows.
package struct ActionWindows {
    /// By the job's id.
    package private(set) var windows: [String: JobWindow] = [:]
    private var spans: [Span] = []

    private struct Span {
        let job: String
        let from: String
        let to: String
        let seconds: ClosedRange<Double>
        var fields: [JobWindow.Field] = []
    }

    /// Reads the tables; blocks its thread. A table that cannot be read has no samples.
    /// - Parameter jobs: those that are meant; nil for all that have run.
    package init(_ directory: RunDirectory, _ state: RunState, jobs: Set<String>? = nil) {
        for job in state.jobs where job.kind != .collector && jobs?.contains(job.id) != false {
            if let span = Self.span(of: job, state) { spans.append(span) }
        }
        if spans.isEmpty { return }
        spans.sort { $0.seconds.lowerBound < $1.seconds.lowerBound }
        var names: [String] = []
        for job in state.jobs where job.kind == .collector && !names.contains(job.name) { names.append(job.name) }
        for name in names {
            let length = state.jobs.filter { $0.kind == .collector && $0.name == name }.map(\.tableBytes).max() ?? 0
            guard length > 0, let lines = try? LogLines(directory.collectorRows(name), length: length) else { continue }
            try? read(lines, name, state.collectors.fields(of: name))
        }
        for span in spans {
            windows[span.job] = JobWindow(
                from: span.from, to: span.to, duration: span.seconds.upperBound - span.seconds.lowerBound,
                fields: span.fields)
        }
    }

    private static func span(of job: JobState, _ state: RunState) -> Span? {
        guard let span = job.span, let clock = state.clock(ofBoot: job.boot ?? ""),
            let from = clock.time(atUptime: span.lowerBound), let to = clock.time(atUptime: span.upperBound),
            let begin = seconds(from), let end = seconds(to), begin <= end
        else { return nil }
        return Span(job: job.id, from: from, to: to, seconds: begin...end)
    }

    private static func seconds(_ time: some StringProtocol) -> Double? {
        Clock.microseconds(iso8601: String(time)).map { Double($0) / 1e6 }
    }

    private mutating func read(
        _ lines: LogLines, _ name: String, _ fields: [(name: String, unit: String?)]
    ) throws(SystemError) {
        var lines = lines
        guard !fields.isEmpty, let header = try lines.next() else { return }
        let names = CellSeparator.comma.cells(of: header)
        let columns = fields.map { names.firstIndex(of: $0.name) }
        var sweep = WindowSweep(spans.map(\.seconds), units: fields.map(\.unit))
        while let line = try lines.next() {
            let cells = CellSeparator.comma.cells(of: line)
            guard cells.count == names.count, let time = Self.seconds(cells[0]) else { continue }
            sweep.take(time, columns.map { $0.flatMap { JSON(number: cells[$0])?.measure } })
        }
        for (span, found) in zip(spans.indices, sweep.series) {
            for (field, own) in zip(fields, found) {
                guard let aggregates = Aggregates(own.values) else { continue }
                spans[span].fields.append(
                    JobWindow.Field(
                        collector: name, name: field.name, unit: field.unit, aggregates, own.power?.energy))
            }
        }
    }
}
