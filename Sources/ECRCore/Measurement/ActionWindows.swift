import JSON
import LinuxSystem
import Profiles
package import RunStore

/// What the collectors saw while each job ran, from their tables: the samples whose uptime lies between the job's beginning
/// and its end in the same boot of the target. So no clock that was set, or has drifted, moves a window against its
/// samples; the controller's time is only told.
///
/// Each table is read once, in bounded memory but for the numbers that lie in windows.
package struct ActionWindows {
    /// By the job's id.
    package private(set) var windows: [String: JobWindow] = [:]
    /// By the boot id, sorted by their beginnings.
    private var spans: [String: [Span]] = [:]

    private struct Span {
        let job: String
        let from: String
        let to: String
        /// Seconds of the target's boottime clock.
        let uptimes: ClosedRange<Double>
        var fields: [JobWindow.Field] = []
    }

    /// Reads the tables; blocks its thread. A table that cannot be read has no samples.
    /// - Parameter jobs: those that are meant; nil for all that have run.
    package init(_ directory: RunDirectory, _ state: RunState, jobs: Set<String>? = nil) {
        for job in state.jobs where job.kind != .collector && jobs?.contains(job.id) != false {
            if let span = Self.span(of: job, state) { spans[job.boot ?? "", default: []].append(span) }
        }
        if spans.isEmpty { return }
        for boot in spans.keys { spans[boot]?.sort { $0.uptimes.lowerBound < $1.uptimes.lowerBound } }
        var names: [String] = []
        for job in state.jobs where job.kind == .collector && !names.contains(job.name) { names.append(job.name) }
        for name in names {
            let table = CollectorTable(name, state)
            guard table.length > 0,
                let lines = try? LogLines(directory.collectorRows(name), length: table.length)
            else { continue }
            try? read(lines, table)
        }
        for span in spans.values.joined() {
            windows[span.job] = JobWindow(
                from: span.from, to: span.to, duration: span.uptimes.upperBound - span.uptimes.lowerBound,
                fields: span.fields)
        }
    }

    private static func span(of job: JobState, _ state: RunState) -> Span? {
        guard let span = job.span, let clock = state.clock(ofBoot: job.boot ?? ""),
            let from = clock.time(atUptime: span.lowerBound), let to = clock.time(atUptime: span.upperBound)
        else { return nil }
        return Span(job: job.id, from: from, to: to, uptimes: span)
    }

    private mutating func read(_ lines: LogLines, _ table: CollectorTable) throws(SystemError) {
        var lines = lines
        guard !table.fields.isEmpty, let header = try lines.next() else { return }
        let names = CellSeparator.comma.cells(of: header)
        guard let uptime = names.firstIndex(of: "boottime_s"), let tick = names.firstIndex(of: "tick") else { return }
        let columns = table.fields.map { names.firstIndex(of: $0.name) }
        var sweeps = spans.mapValues { spans in
            WindowSweep(
                spans.map(\.uptimes), units: table.fields.map(\.unit), isStream: !names.contains("exit"),
                lost: table.lost)
        }
        var position = lines.position
        while let line = try lines.next() {
            defer { position = lines.position }
            let cells = CellSeparator.comma.cells(of: line)
            guard cells.count == names.count, let time = Double(cells[uptime]), let number = Int64(cells[tick]),
                let job = table.job(at: position)
            else { continue }
            sweeps[table.boots[job]]?.take(
                SampleSpacing.Place(time: time, job: job, tick: number),
                columns.map { $0.flatMap { JSON(number: cells[$0])?.measure } })
        }
        for (boot, sweep) in sweeps { keep(sweep, of: boot, table) }
    }

    private mutating func keep(_ sweep: WindowSweep, of boot: String, _ table: CollectorTable) {
        for (index, found) in sweep.series.enumerated() {
            for (field, own) in zip(table.fields, found) {
                guard let aggregates = Aggregates(own.values) else { continue }
                spans[boot]?[index].fields.append(
                    JobWindow.Field(
                        collector: table.name, name: field.name, unit: field.unit, aggregates, own.power?.energy))
            }
        }
    }
}

/// Which rows of a collector's table are whose: its jobs follow one another in it.
private struct CollectorTable {
    let name: String
    let fields: [(name: String, unit: String?)]
    /// Of each job.
    let boots: [String]
    private(set) var lost = LostTicks()
    /// Of each job, where its rows end.
    private let ends: [Int64]

    init(_ name: String, _ state: RunState) {
        self.name = name
        fields = state.collectors.fields(of: name)
        let jobs = state.jobs.filter { $0.kind == .collector && $0.name == name }
        boots = jobs.map { $0.boot ?? "" }
        ends = jobs.map(\.tableBytes)
        for gap in state.gaps {
            guard let job = jobs.firstIndex(where: { $0.id == gap["job"]?.string }),
                let first = gap["first_tick"]?.int, let last = gap["last_tick"]?.int, first <= last
            else { continue }
            lost.add(first...last, of: job)
        }
    }

    var length: Int64 { ends.max() ?? 0 }

    /// The job of the row that begins at a place of the file.
    func job(at place: Int64) -> Int? { ends.firstIndex { $0 > place } }
}
