import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything that is known of a run.",
        discussion: """
            Example:
              ecr run show latest~1
              ecr run show --json
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen(name, isChecked: true)
        guard output.json else {
            Terminal.result(RunShowReport(run: run).text)
            return
        }
        var json = run.state.json(id: run.id).object ?? [:]
        json["state"] = .string(run.condition)
        json["path"] = .string(run.directory.path)
        json["jobs"] = .array(run.state.jobs.map(run.state.json(of:)))
        json["unfetched"] = LeftOutputs(run.state).json
        Terminal.result(.object(json))
    }
}

private struct RunShowReport {
    let run: ChosenRun
    private var state: RunState { run.state }

    init(run: ChosenRun) { self.run = run }

    var text: String {
        ([("", header)] + RecordTables(state).sections
            + [
                ("left on the target", left), ("notes", notes), ("jobs", jobs),
                ("metrics", ActionMetricTable(state).table), ("uploads", uploads),
                ("artifacts", artifacts), ("facts", facts), ("changed between start and end", changes),
            ]).filter {
                !$0.1.isEmpty
            }
            .map { title, table in
                title.isEmpty ? table.text() : "\n\(Terminal.styled(title, .bold))\n\(table.text(indent: 2))"
            }.joined(separator: "\n")
    }

    private var header: Table {
        var table = Table()
        table.add(["run", run.id])
        table.add(["short id", state.shortID])
        table.add(["name", state.name])
        table.add(["state", run.condition + (state.endReason.map { ": \($0)" } ?? "")])
        table.add(["profile", "\(state.profile) (\(state.profileFile))"])
        if !state.tags.isEmpty { table.add(["tags", state.tags.joined(separator: ", ")]) }
        if let author = state.author { table.add(["author", author]) }
        if let licence = state.licence { table.add(["licence", licence]) }
        for (name, value) in state.parameters.members {
            table.add(["parameter", "\(name)=\(value.string ?? value.text)"])
        }
        table.add(["created", Amount.moment(state.created)])
        if let started = state.started { table.add(["started", Amount.moment(started)]) }
        if let ended = state.ended { table.add(["ended", Amount.moment(ended)]) }
        if !state.connection.members.isEmpty { addConnection(to: &table) }
        if state.notes > Int64(state.recentNotes.count) {
            table.add(["notes", "\(state.notes); all: ecr run events \(run.id) --type note"])
        }
        for span in state.invalidTimes.spans {
            let time = "\(Amount.moment(span.from)) to \(Amount.moment(span.to))"
            table.add(["invalid", "\(time): \(span.mark.reason ?? "")"])
        }
        table.add(["events", "\(state.checkpoint.seq), head \(state.checkpoint.hash)"])
        table.add(["directory", run.directory.path])
        return table
    }

    private func addConnection(to table: inout Table) {
        table.add(["target", StartReport.address(.object(state.connection))])
        if let key = state.connection["host_key"]?.string { table.add(["host key", key]) }
    }

    private var left: Table {
        let copy = TargetCopy(state, run.directory)
        var table = Table()
        for sentence in copy.sentences { table.add([sentence]) }
        if let next = copy.next, !table.isEmpty { table.add(["next: \(next)"]) }
        return table
    }

    /// The last ones, with their numbers, by which `edit` names them.
    private var notes: Table {
        var table = Table()
        for note in state.recentNotes {
            let lines = note.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                let edited = index == lines.count - 1 && note.edit != nil ? "  (edited)" : ""
                let head = index == 0 ? [String(note.seq), Amount.moment(note.at ?? note.time)] : ["", ""]
                table.add(head + ["\(line)\(edited)"])
            }
            for file in note.attachments {
                let size = Amount.bytes(file["size"]?.int ?? 0)
                table.add(["", "", "\(file["path"]?.string ?? "?")  \(size)"])
            }
        }
        return table
    }

    private var jobs: Table {
        guard !state.jobs.isEmpty else { return Table() }
        var table = Table(["JOB", "KIND", "OUTCOME", "EXIT", "DURATION", "OUTPUT", "REASON"])
        for job in state.jobs {
            table.add([
                job.id, job.kind.rawValue, outcome(of: job), job.exit.map { String($0) } ?? "-",
                job.duration.map { Amount.seconds($0) } ?? "-",
                job.kind == .collector
                    ? Amount.count(job.samples, "sample") : Amount.bytes(job.stdoutBytes + job.stderrBytes),
                reason(of: job),
            ])
        }
        return table
    }

    private func outcome(of job: JobState) -> String {
        job.outcome == .running && !run.isLive ? "no end on record" : job.outcome.rawValue
    }

    private func reason(of job: JobState) -> String {
        let invalid = state.invalidity(of: job).map { "marked invalid: \($0)" }
        return [job.reason, invalid].compactMap { $0 }.joined(separator: "; ")
    }

    /// Origin: with a size behind it, a line of a terminal.
    private static let widestName = 60

    private var artifacts: Table {
        var table = Table(widest: Self.widestName)
        for artifact in state.artifacts {
            table.add([
                artifact["path"]?.string ?? "?", Amount.bytes(artifact["size"]?.int ?? 0), doubt(about: artifact),
            ])
        }
        if state.failedPulls > 0 { table.add(["(\(Amount.count(state.failedPulls, "pull")) failed)"]) }
        return table
    }

    /// What is not sure about a file.
    private func doubt(about file: JSON) -> String {
        ["unverified", "unsynced", "changed"].filter { file[$0]?.bool == true }.joined(separator: ", ")
    }

    /// What was really on the target: the last upload of a file counts.
    private var uploads: Table {
        var table = Table(widest: Self.widestName)
        for upload in state.uploads {
            table.add([
                RawName.text("remote", of: upload), Amount.bytes(upload["size"]?.int ?? 0),
                String(upload["sha256"]?.string?.prefix(12) ?? "?"), upload["job"]?.string ?? "by hand",
                upload["method"]?.string ?? "?", doubt(about: upload),
            ])
        }
        if state.failedUploads > 0 { table.add(["(\(Amount.count(state.failedUploads, "upload")) failed)"]) }
        return table
    }

    /// Those of the start are the fullest; the connection has some more.
    private var facts: Table {
        var facts = state.facts
        for (name, value) in state.baselines.start?.members ?? [] { facts[name] = value }
        var table = Table()
        for (name, value) in facts.members where name != "target" && name != "at" {
            for (name, text) in Self.lines(name, value) { table.add([name, text]) }
        }
        return table
    }

    /// A fact in a line, or one for each of its parts.
    private static func lines(_ name: String, _ value: JSON) -> [(String, String)] {
        if let members = value.object?.members { return members.flatMap { lines("\(name) \($0.key)", $0.value) } }
        guard let list = value.array, list.contains(where: { $0.object != nil }) else {
            return [(name, value.array?.compactMap(\.string).joined(separator: ", ") ?? text(value))]
        }
        return list.map { entry in
            let parts = (entry.object?.members ?? []).filter { $0.key != "name" }
            return (
                "\(name) \(entry["name"]?.string ?? "")",
                parts.map { "\($0.key)=\(text($0.value))" }.joined(separator: " ")
            )
        }
    }

    private var changes: Table {
        var table = Table()
        let changes = state.baselines.changes
        for change in changes {
            table.add([change.name, "\(Self.text(change.before)) -> \(Self.text(change.after))"])
        }
        guard state.baselines.end != nil else { return table }
        if state.baselines.start == nil {
            table.add(["not known: no facts of the start"])
        } else if state.baselines.areIncomplete {
            table.add(["(not all facts came in time; those are not compared)"])
        } else if changes.isEmpty {
            table.add(["(nothing)"])
        }
        return table
    }

    private static func text(_ value: JSON?) -> String { value.map { $0.string ?? $0.text } ?? "none" }
}
