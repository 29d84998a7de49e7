import ECRCore
import JSON
import RunStore

/// The lines of `ecr run watch` for a terminal of some size.
struct WatchScreen {
    private let state: RunState
    private let run: ChosenRun
    private let live: JSON?
    private let series: [(name: String, last: Double, line: Sparkline)]
    private let output: (JobState, Int) -> [String]
    private let columns: Int
    private let rows: Int
    private let isLive: Bool
    /// How many lines of the collectors are scrolled away: not more than leave the last one in sight.
    private(set) var scrolled: Int

    /// - Parameters:
    ///   - columns: of the terminal, as rows.
    ///   - scrolled: how many lines of the collectors are wanted out of sight.
    init(_ watched: borrowing WatchedRun, columns: Int, rows: Int, scrolled: Int) {
        state = watched.state
        run = watched.chosen
        live = watched.supervisor.last
        series = watched.series
        let directory = watched.chosen.directory
        output = { job, count in JobTail(directory, job).lines(count) }
        isLive = directory.hasSupervisor()
        (self.columns, self.rows, self.scrolled) = (columns, rows, 0)
        self.scrolled = min(scrolled, max(0, allCollectorLines.count - 1))
    }

    /// - Parameter footer: what stands in the last line: a question, or what has just been done; nil for the keys.
    func lines(_ footer: String?) -> [ScreenLine] {
        let header = head
        let notes = state.recentNotes.suffix(3).map {
            ScreenLine("  \(Amount.clock($0.at ?? $0.time))  \($0.text)")
        }
        let noteLines = notes.isEmpty ? [] : [ScreenLine("notes", .bold)] + notes
        // What is left for output and collectors; a line between each two parts, one for the footer.
        let left = max(0, rows - header.count - noteLines.count - 4)
        // The output has a third of it, the collectors all that it does not need.
        let work = workLines(left)
        let collectors = collectorLines(max(left * 2 / 3, left - work.count))
        var lines = header
        for part in [workLines(max(0, left - collectors.count)), collectors, noteLines] where !part.isEmpty {
            lines += [ScreenLine("")] + part
        }
        lines = Array(lines.prefix(max(0, rows - 1)))
        while lines.count < rows - 1 { lines.append(ScreenLine("")) }
        return lines + [ScreenLine(footer ?? keys, .dim)]
    }

    /// Origin of 60: below that the long form does not fit.
    private var keys: String {
        if state.isOver || !isLive { return "n note   q quit" }
        return columns < 60 ? "n note  p pause  r release  q quit" : "n note   p pause/resume   r release   q quit"
    }

    private var condition: String { RunCondition.word(state, hasSupervisor: isLive) }

    private var head: [ScreenLine] {
        let age = condition == "running" ? state.started.map { " for \(Amount.age(since: $0))" } ?? "" : ""
        let reason = (state.isOver ? state.endReason : state.pauseReason).map { ": \($0)" } ?? ""
        var lines = [
            ScreenLine("\(run.id) (\(state.shortID))  \(condition)\(age)\(reason)", .bold),
            ScreenLine("\(StartReport.address(.object(state.connection)))  \(link)", isConnected ? nil : .yellow),
        ]
        if condition == "interrupted" {
            let age = Amount.age(since: state.lastTime)
            let text = "its supervisor is gone, the last event is \(age) old (ecr run resume\(run.reference))"
            return lines + [ScreenLine(text, .yellow)]
        }
        if let holding = live?["holding"]?.string { lines.append(ScreenLine(holding, .yellow)) }
        if let held = live?["held"]?.string { lines.append(ScreenLine("held: \(held)", .yellow)) }
        for rule in (live?["rules"]?.array ?? []) where rule["active_since"]?.string != nil {
            let name = rule["rule"]?.string ?? ""
            let released = rule["released"]?.bool == true ? ", released" : ""
            let since = Amount.clock(rule["active_since"]?.string ?? "")
            lines.append(ScreenLine("rule \(name) since \(since)\(released)", .yellow))
        }
        for transfer in live?["transfers"]?.array ?? [] {
            let sentence = TransferSentence(transfer, isConnected: isConnected)
            lines.append(ScreenLine("\(sentence.verb) \(sentence.text)"))
        }
        return lines
    }

    private var isConnected: Bool { isLive && live?["connected"]?.bool ?? state.isConnected }

    private var link: String {
        if state.isOver || !isLive { return "" }
        if live?["needs_input"]?.string != nil { return "link lost, waiting for an answer: ecr run reconnect" }
        return isConnected ? "connected" : "link lost"
    }

    private func workLines(_ room: Int) -> [ScreenLine] {
        guard room > 0 else { return [] }
        let actions = state.jobs.filter { $0.kind != .collector }
        guard let job = actions.last(where: { $0.outcome == .running }) ?? actions.last else { return [] }
        let waiting = (live?["waiting"]?.array ?? []).compactMap(\.string)
        let then = waiting.isEmpty ? "" : "; waiting: \(waiting.joined(separator: ", "))"
        let what =
            job.outcome == .running
            ? "\(standing(of: job))\(then)"
            : "\(JobSentence(state.json(of: job)).text)\(then)"
        return [ScreenLine(what, .bold)] + output(job, room - 1).map { ScreenLine("  \($0)") }
    }

    /// Of one without an end on record.
    private func standing(of job: JobState) -> String {
        guard isLive else { return "\(job.id) (no end on record)" }
        let known = live?["jobs"]?.array?.first { $0["job"]?.string == job.id }
        let phase = known?["phase"]?.string.flatMap { JobPhase(rawValue: $0) } ?? .running
        return phase == .running ? "\(job.id) for \(Amount.age(since: job.started))" : phase.sentence(about: job.id)
    }

    private var allCollectorLines: [ScreenLine] {
        var lines: [ScreenLine] = []
        let width = series.map(\.name.count).max() ?? 0
        for entry in CollectorList(run, state).entries {
            let own = series.filter { $0.name.hasPrefix(entry.name + ".") }
            let text = state.latest.of(entry.name)?.text.map { "  \($0)" } ?? ""
            lines.append(ScreenLine("\(entry.name)  \(entry.sentence)\(own.isEmpty ? text : "")"))
            for one in own {
                let name = one.name + String(repeating: " ", count: width - one.name.count)
                lines.append(ScreenLine("  \(name)  \(Self.short(one.last))  \(one.line.text)"))
            }
        }
        return lines
    }

    private func collectorLines(_ room: Int) -> [ScreenLine] {
        let lines = allCollectorLines
        guard room > 1, !lines.isEmpty else { return [] }
        let title = [ScreenLine("collectors", .bold)]
        guard lines.count > room - 1 else { return title + lines }
        let shown = lines.dropFirst(scrolled).prefix(max(0, room - 2))
        let below = lines.count - scrolled - shown.count
        let rest = below > 0 ? "\(below) lines more" : "the end"
        return title + shown + [ScreenLine("  … \(rest) (arrows up and down scroll)")]
    }

    /// In a column of nine.
    private static func short(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        let text = tenths == tenths.rounded() && tenths.magnitude < 1e9 ? String(Int64(tenths)) : "\(tenths)"
        return String(repeating: " ", count: max(0, 9 - text.count)) + text
    }
}
