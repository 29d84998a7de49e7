import ECRCore
import JSON
import RunStore

/// The metrics of a run, and what the collectors saw while its actions ran.
struct MetricReport {
    private let state: RunState
    private let id: String
    private let jobs: [JobState]
    private let windows: [String: JobWindow]

    /// Windows that are not on record are computed: those of a run that goes on, or was never completed.
    init(_ run: ChosenRun) {
        state = run.state
        id = run.id
        jobs = run.state.jobs.filter { $0.kind != .collector }
        let open = jobs.filter { $0.window == nil && $0.span != nil }.map(\.id)
        let computed = open.isEmpty ? [:] : ActionWindows(run.directory, run.state, jobs: Set(open)).windows
        var windows: [String: JobWindow] = [:]
        for job in jobs {
            guard let window = job.window ?? computed[job.id], !window.fields.isEmpty else { continue }
            windows[job.id] = window
        }
        self.windows = windows
    }

    var isEmpty: Bool { windows.isEmpty && !jobs.contains { $0.metrics != nil } }

    // MARK: For people

    var text: String {
        [
            ("actions", ActionMetricTable(state).table), ("metrics", metrics), ("not found", missing),
            ("collectors", collectors), ("energy", energy), ("taken again", recomputed),
        ].filter { !$0.1.isEmpty }
            .map { "\(Terminal.styled($0, .bold))\n\($1.text(indent: 2))" }.joined(separator: "\n\n")
    }

    private var metrics: Table {
        var table = Table(["JOB", "METRIC", "UNIT", "COUNT", "LAST"] + Measure.headings)
        let rows = jobs.flatMap { job in (job.metrics?.metrics ?? []).map { (job, $0) } }
        for (job, metric) in rows {
            let last = metric.aggregates.last
            table.add(
                [job.id, metric.name, metric.unit ?? "-", "\(metric.aggregates.count)", last.string ?? last.text]
                    + Measure.cells(metric.aggregates))
        }
        return rows.isEmpty ? Table() : table
    }

    private var missing: Table {
        var table = Table()
        for job in jobs {
            for metric in job.metrics?.missing ?? [] { table.add([job.id, metric.name, metric.reason]) }
        }
        return table
    }

    private var collectors: Table {
        var table = Table(["JOB", "COLLECTOR", "FIELD", "UNIT", "SAMPLES"] + Measure.headings)
        for (job, field) in fields {
            table.add(
                [job.id, field.collector, field.name, field.unit ?? "-", "\(field.aggregates.count)"]
                    + Measure.cells(field.aggregates))
        }
        return fields.isEmpty ? Table() : table
    }

    private var fields: [(JobState, JobWindow.Field)] {
        jobs.flatMap { job in (windows[job.id]?.fields ?? []).map { (job, $0) } }
    }

    private var energy: Table {
        var table = Table(["JOB", "COLLECTOR", "FIELD", "ENERGY", "OVER", "OF", "PER COUNT"])
        let rows = fields.filter { $0.1.energy != nil }
        for (job, field) in rows {
            guard let energy = field.energy, let window = windows[job.id] else { continue }
            table.add([
                job.id, field.collector, field.name, "\(Measure.text(energy.joules)) J", Amount.seconds(energy.covered),
                Amount.seconds(window.duration),
                field.perCount(job.metrics?.count).map { "\(Measure.text($0)) J" } ?? "-",
            ])
        }
        return rows.isEmpty ? Table() : table
    }

    private var recomputed: Table {
        var table = Table()
        for job in jobs {
            guard let metrics = job.metrics, metrics.by == "recompute" else { continue }
            table.add([job.id, "derivation \(metrics.derivation), by ecr run metrics recompute"])
        }
        return table
    }

    // MARK: For programs

    func json(_ values: MetricValues) -> JSON {
        let jobs = jobs.filter { $0.metrics != nil || windows[$0.id] != nil }
        return [
            "run": .string(id),
            "actions": .array(
                state.actionMetrics.map { metric in
                    var members: JSONObject = ["action": .string(metric.action), "metric": .string(metric.name)]
                    members.merge(metric.json.object ?? [:])
                    return .object(members)
                }),
            "jobs": .array(jobs.map { json($0, values) }),
        ]
    }

    private func json(_ job: JobState, _ values: MetricValues) -> JSON {
        var metrics = JSONObject()
        for metric in job.metrics?.metrics ?? [] {
            var members = metric.json.object ?? [:]
            members["values"] = .array(values.values(of: job.id, metric.name))
            metrics[metric.name] = .object(members)
        }
        return [
            "job": .string(job.id), "action": .string(job.name), "outcome": .string(job.outcome.rawValue),
            "invalid": state.invalidity(of: job).map { .string($0) },
            "derivation": job.metrics.map { .int($0.derivation) }, "by": job.metrics.map { .string($0.by) },
            "metrics": .object(metrics), "missing": job.metrics?.json["missing"] ?? .array([]),
            "window": windows[job.id].map { .object($0.members(count: job.metrics?.count)) } ?? .null,
        ]
    }
}

/// The metrics of each action over its jobs.
struct ActionMetricTable {
    private let metrics: [ActionMetric]

    init(_ state: RunState) { metrics = state.actionMetrics }

    var table: Table {
        guard !metrics.isEmpty else { return Table() }
        var table = Table(["ACTION", "METRIC", "UNIT", "JOBS"] + Measure.headings)
        for metric in metrics {
            table.add(
                [metric.action, metric.name, metric.unit ?? "-", "\(metric.aggregates.count)"]
                    + Measure.cells(metric.aggregates))
        }
        return table
    }
}
