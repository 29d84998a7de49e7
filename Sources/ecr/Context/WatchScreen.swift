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

    init(_ watched: borrowing WatchedRun) {
        state = watched.state
        run = watched.chosen
        live = watched.supervisor.last
        series = watched.series
        let directory = watched.chosen.directory
        output = { job, count in JobTail(directory, job).lines(count) }
    }

    /// - Parameters:
    ///   - footer: what stands in the last line: the keys, a question, or what has just been done.
    ///   - rows: of the terminal.
    func lines(_ footer: String, rows: Int) -> [ScreenLine] {
        let header = head
        let notes = state.recentNotes.suffix(3).map {
            ScreenLine("  \(Amount.clock($0.at ?? $0.time))  \($0.text)")
        }
        let noteLines = notes.isEmpty ? [] : [ScreenLine("notes", .bold)] + notes
        // What is left for output and collectors; a line between each two parts, one for the footer.
        let left = max(0, rows - header.count - noteLines.count - 4)
        let collectors = collectorLines(left * 2 / 3)
        let work = workLines(max(0, left - collectors.count))
        var lines = header
        for part in [work, collectors, noteLines] where !part.isEmpty { lines += [ScreenLine("")] + part }
        lines = Array(lines.prefix(max(0, rows - 1)))
        while lines.count < rows - 1 { lines.append(ScreenLine("")) }
        return lines + [ScreenLine(footer, .dim)]
    }

    private var condition: String { RunCondition.word(state, hasSupervisor: run.directory.hasSupervisor()) }

    private var head: [ScreenLine] {
        let age = state.isOver ? "" : state.started.map { " for \(Amount.age(since: $0))" } ?? ""
        let reason = (state.isOver ? state.endReason : state.pauseReason).map { ": \($0)" } ?? ""
        var lines = [
            ScreenLine("\(run.id) (\(state.shortID))  \(condition)\(age)\(reason)", .bold),
            ScreenLine("\(StartReport.address(.object(state.connection)))  \(link)", isConnected ? nil : .yellow),
        ]
        if let holding = live?["holding"]?.string { lines.append(ScreenLine(holding, .yellow)) }
        if let held = live?["held"]?.string { lines.append(ScreenLine("held: \(held)", .yellow)) }
        for rule in (live?["rules"]?.array ?? []) where rule["active_since"]?.string != nil {
            let name = rule["rule"]?.string ?? ""
            lines.append(
                ScreenLine("rule \(name) since \(Amount.clock(rule["active_since"]?.string ?? ""))", .yellow))
        }
        return lines
    }

    private var isConnected: Bool { live?["connected"]?.bool ?? state.isConnected }

    private var link: String {
        if state.isOver { return "" }
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
            ? "\(job.id) for \(Amount.age(since: job.started))\(then)"
            : "\(JobSentence(state.json(of: job)).text)\(then)"
        return [ScreenLine(what, .bold)] + output(job, room - 1).map { ScreenLine("  \($0)") }
    }

    private func collectorLines(_ room: Int) -> [ScreenLine] {
        let entries = CollectorList(run, state).entries
        guard room > 1, !entries.isEmpty else { return [] }
        var lines: [ScreenLine] = []
        let width = series.map(\.name.count).max() ?? 0
        for entry in entries {
            let own = series.filter { $0.name.hasPrefix(entry.name + ".") }
            let text = state.latest.of(entry.name)?.text.map { "  \($0)" } ?? ""
            lines.append(ScreenLine("\(entry.name)  \(entry.sentence)\(own.isEmpty ? text : "")"))
            for one in own {
                let name = one.name + String(repeating: " ", count: width - one.name.count)
                lines.append(ScreenLine("  \(name)  \(Self.short(one.last))  \(one.line.text)"))
            }
        }
        let title = [ScreenLine("collectors", .bold)]
        guard lines.count > room - 1 else { return title + lines }
        return title + lines.prefix(max(0, room - 2)) + [ScreenLine("  … and \(lines.count - room + 2) lines more")]
    }

    /// In a column of nine.
    private static func short(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        let text = tenths == tenths.rounded() && tenths.magnitude < 1e9 ? String(Int64(tenths)) : "\(tenths)"
        return String(repeating: " ", count: max(0, 9 - text.count)) + text
    }
}
