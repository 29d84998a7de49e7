import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show on one screen how a run stands, and what to type next.",
        discussion: """
            Example:
              ecr status
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen(isChecked: true)
        var report = RunStatusReport(run: run)
        do { if run.isLive { report.live = try run.request(["request": "status"]) } } catch let failure as ECRFailure {
            // A supervisor that ends meanwhile is no error of a command that only looks; one that is silent is news.
            if run.directory.hasSupervisor() { report.silence = failure }
        }
        if output.json { Terminal.result(report.json) } else { Terminal.result(report.text) }
    }
}

struct RunStatusReport {
    let run: ChosenRun
    /// The supervisor's answer, where one lives.
    var live: JSON?
    /// What is to be said of a supervisor that lives and gives none.
    var silence: ECRFailure?

    private var state: RunState { run.state }
    /// Why the supervisor is about to end without being asked to: the run then reads as interrupted.
    private var failure: String? { live?["failure"]?["message"]?.string }
    private var isConnected: Bool { live?["connected"]?.bool ?? false }

    var text: String {
        var table = Table()
        table.add(["run", "\(run.id) (\(state.shortID))"])
        table.add(["profile", state.profile])
        if !state.tags.isEmpty { table.add(["tags", state.tags.joined(separator: ", ")]) }
        table.add(["state", run.condition + since])
        if !state.connection.members.isEmpty { table.add(["target", target]) }
        if let silence { table.add(["supervisor", "does not answer; is it stopped? (\(silence.hint ?? ""))"]) }
        if let failure { table.add(["supervisor", "ends: \(failure)"]) }
        if let ending { table.add(["ending", ending]) }
        if let reason = live?["held"]?.string { table.add(["held", reason]) }
        if let holding = live?["holding"]?.string {
            table.add(["rule", "\(holding) (ecr run release \"why\")"])
        }
        for rule in activeRules { table.add(["rule", rule]) }
        if let question = live?["needs_input"]?.string {
            table.add(["needs input", "\(question) (ecr run reconnect)"])
        }
        for job in running { table.add(["runs", job]) }
        for transfer in live?["transfers"]?.array ?? [] {
            let sentence = TransferSentence(transfer, isConnected: isConnected)
            table.add([sentence.verb, sentence.text])
        }
        for name in live?["waiting"]?.array ?? [] { table.add(["waits", name.string ?? ""]) }
        let restarting = (live?["restarting"]?.array ?? []).compactMap(\.string)
        for entry in CollectorList(run).entries {
            let again = restarting.contains(entry.name) ? "; will be started again" : ""
            table.add(["collector", "\(entry.name)  \(entry.sentence)\(again)\(lastValues(of: entry.name))"])
        }
        for job in lastActions { table.add(["did", JobSentence(state.json(of: job)).text]) }
        let artifacts = Amount.count(Int64(state.artifacts.count), "artifact")
        table.add(["record", "\(Amount.count(state.notes, "note")), \(artifacts)"])
        for sentence in left { table.add(["left", sentence]) }
        if let ledger = state.ledger { table.add(["ledger", LedgerSentence(ledger).text]) }
        table.add(["next", next])
        return table.text()
    }

    var json: JSON {
        [
            "run": .string(run.id), "short_id": .string(state.shortID), "name": .string(state.name),
            "profile": .string(state.profile), "state": .string(run.condition),
            "started": state.started.map { .string($0) }, "ended": state.ended.map { .string($0) },
            "connected": .bool(isConnected), "answers": run.isLive ? .bool(live != nil) : nil,
            "needs_input": live?["needs_input"] ?? .null,
            "target": .object(state.connection),
            "running": live?["jobs"] ?? .array(state.openJobs.map(state.json(of:))),
            "ending": live?["ending"] ?? .null, "failure": failure.map { .string($0) }, "held": live?["held"] ?? .null,
            "transfers": live?["transfers"] ?? .array([]),
            "waiting": live?["waiting"] ?? .array([]), "pause_reason": state.pauseReason.map { .string($0) },
            "collectors": CollectorList(run).json["collectors"], "restarting": live?["restarting"] ?? .array([]),
            "holding": live?["holding"] ?? .null, "rules": live?["rules"] ?? .array([]),
            "last_samples": state.latest.json,
            "last_actions": .array(lastActions.map(state.json(of:))),
            "notes": .int(state.notes), "artifacts": JSON(state.artifacts.count),
            "ledger": state.ledger.map { .object($0) }, "unfetched": targetCopy.left.json, "next": .string(next),
        ]
    }

    /// Of a collector, as far as a line has room for them.
    private func lastValues(of collector: String) -> String {
        guard let sample = state.latest.of(collector) else { return "" }
        if let text = sample.text { return "; last: \(text)" }
        let values = sample.values.members.prefix(Self.valuesShown).map { "\($0.key)=\($0.value.text)" }
        return values.isEmpty ? "" : "; last: \(values.joined(separator: " "))"
    }

    /// Origin: a line of a terminal; `watch` shows all.
    private static let valuesShown = 4

    /// Those that have begun, but for a hold that is shown as such.
    private var activeRules: [String] {
        (live?["rules"]?.array ?? []).compactMap { rule in
            guard let since = rule["active_since"]?.string, rule["holds"]?.bool != true else { return nil }
            let note = rule["note"]?.string.map { ": \($0)" } ?? ""
            let released = rule["released"]?.bool == true ? ", released" : ""
            let deed = rule["do"]?.string ?? ""
            return "\(rule["rule"]?.string ?? "") (\(deed)) since \(Amount.clock(since))\(released)\(note)"
        }
    }

    private var since: String {
        switch run.condition {
        case "created": " \(Amount.age(since: state.created)) ago"
        case "running": " for \(Amount.age(since: state.started ?? ""))"
        case "paused": state.pauseReason.map { ": \($0)" } ?? ""
        case "interrupted": "; its supervisor is gone, the last event is \(Amount.age(since: state.lastTime)) old"
        default: " \(Amount.age(since: state.ended ?? "")) ago\(state.endReason.map { ": \($0)" } ?? "")"
        }
    }

    private var targetCopy: TargetCopy { TargetCopy(state, run.directory) }

    /// What only the target has. Origin of 3: as of the actions; `show` lists all.
    private var left: [String] {
        let sentences = targetCopy.sentences
        let rest = sentences.count - 3
        return sentences.prefix(3) + (rest > 0 ? ["\(rest) more: ecr run show\(run.reference.replacingOption())"] : [])
    }

    /// How far an end that was asked for has come.
    private var ending: String? {
        guard let end = live?["ending"], let kind = end["kind"]?.string else { return nil }
        let jobs = (end["waits_for"]?.array ?? []).compactMap(\.string)
        let isMoving = live?["transfers"]?.array?.isEmpty == false
        let waits =
            !isConnected
            ? "waits for the target"
            : !jobs.isEmpty
                ? "waits for \(jobs.joined(separator: ", "))"
                : isMoving ? "waits for files that are on their way" : "both ends are compared"
        return "\(kind) for \(Amount.age(since: end["since"]?.string ?? "")); \(waits)"
    }

    private var target: String {
        let address = StartReport.address(.object(state.connection))
        return live == nil || state.isOver
            ? address : "\(address), \(link)"
    }

    private var link: String {
        if isConnected { return "connected" }
        return live?["needs_input"]?.string == nil ? "link lost, reconnecting" : "link lost, waiting for an answer"
    }

    private var running: [String] {
        if let jobs = live?["jobs"]?.array {
            return jobs.filter { $0["kind"]?.string != "collector" }.map { job in
                let id = job["job"]?.string ?? "?"
                return switch JobPhase(rawValue: job["phase"]?.string ?? "") ?? .running {
                case .running: "\(id)  for \(Amount.seconds(job["elapsed_s"]?.double ?? 0))"
                case let phase: phase.sentence(about: id)
                }
            }
        }
        let suffix = run.isLive ? "" : " (no end on record)"
        return state.openJobs.filter { $0.kind != .collector }.map { "\($0.id)\(suffix)" }
    }

    /// Origin of 3: what an operator still has in mind; `show` lists all.
    private var lastActions: [JobState] {
        Array(state.jobs.filter { $0.kind != .collector && $0.outcome != .running }.suffix(3))
    }

    private var nextWhileEnding: String {
        guard isConnected else { return "ecr run reconnect\(run.reference), or ecr run abort\(run.reference)" }
        return running.isEmpty
            ? "ecr run status\(run.reference)"
            : "ecr run follow\(run.reference), or ecr run cancel\(run.reference)"
    }

    private var next: String {
        if failure != nil { return "ecr run resume\(run.reference), once that is mended" }
        if ending != nil { return nextWhileEnding }
        return switch run.condition {
        case "created": "ecr run start\(run.reference)"
        case "interrupted": "ecr run resume\(run.reference)"
        case "paused": "ecr run resume\(run.reference)"
        case "running" where live?["needs_input"]?.string != nil: "ecr run reconnect\(run.reference)"
        case "running" where !running.isEmpty: "ecr run follow\(run.reference)"
        case "running" where live?["holding"]?.string != nil: "ecr run release \"why\"\(run.reference)"
        case "running" where live?["held"]?.string != nil: "ecr run resume\(run.reference)"
        case "running": "ecr run action NAME\(run.reference), or ecr run complete\(run.reference)"
        default: targetCopy.next ?? "ecr run export\(run.reference.replacingOption())"
        }
    }
}

/// A transfer that is on its way, in one line: `/var/log: 3 of 120 files, 34 % of 2.0 MiB, 512 KiB/s`.
struct TransferSentence {
    let verb: String
    let text: String

    /// - Parameter transfer: as `status` has it.
    init(_ transfer: JSON, isConnected: Bool) {
        let isUpload = transfer["direction"]?.string == "push"
        verb = isUpload ? "sends" : "fetches"
        let names = (transfer["names"]?.array ?? []).compactMap(\.string)
        let subject =
            transfer["job"]?.string.map { "the files \(isUpload ? "for" : "of") \($0)" }
            ?? (isUpload ? "\(Self.list(names.dropLast())) to \(names.last ?? "?")" : Self.list(names[...]))
        text = "\(subject): \(isConnected ? Self.numbers(transfer) : "waits for the target")"
    }

    /// Origin: a line of a terminal.
    private static let namesShown = 2

    private static func list(_ names: ArraySlice<String>) -> String {
        let rest = names.count - namesShown
        return names.prefix(namesShown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func numbers(_ transfer: JSON) -> String {
        guard transfer["all_files"] != nil else { return "looks what is there" }
        let news = TransferNews(json: transfer)
        let rate = news.rate.map { ["\(Amount.bytes(Int64($0)))/s"] } ?? []
        return (["\(news.files) of \(Amount.count(Int64(news.allFiles), "file"))", TransferAmount.text(news)] + rate)
            .joined(separator: ", ")
    }
}

/// The ledger in one line.
struct LedgerSentence {
    let text: String

    init(_ ledger: JSONObject) {
        let missing = (ledger["missing"]?.array ?? []).map { $0.string ?? $0.text }
        text =
            "complete: \(Completeness(.object(ledger)).text)"
            + (missing.isEmpty ? "" : "; missing: \(missing.joined(separator: ", "))")
    }
}
