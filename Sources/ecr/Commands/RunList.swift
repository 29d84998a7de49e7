import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs, the newest last.",
        discussion: """
            The current run is marked with a star.

            Example:
              ecr run list
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let runs = try common.runs
        let entries = runs.runs().map(RunListEntry.init)
        let current = runs.current()?.id
        if output.json {
            Terminal.result(["runs": .array(entries.map { $0.json(isCurrent: $0.id == current) })])
            return
        }
        guard !entries.isEmpty else {
            Terminal.say("no runs in \(runs.path)\nnext: ecr run start PROFILE")
            return
        }
        var table = Table(["", "RUN", "ID", "STATE", "AGE", "ACTIONS", "NAME"])
        for entry in entries { table.add([entry.id == current ? "*" : " "] + entry.cells) }
        Terminal.result(table.text())
        for entry in entries where entry.isDamaged {
            Terminal.warn("the events of run \(entry.id) are damaged; `ecr verify \(entry.id)` says where")
        }
    }
}

/// One run of the list; a damaged one is listed as that.
private struct RunListEntry {
    let id: String
    private let state: RunState?
    private let condition: String

    private static let damaged = "damaged"

    var isDamaged: Bool { condition == Self.damaged }

    init(_ run: RunDirectory) {
        id = run.id
        let isLive = run.hasSupervisor()
        do {
            let state = try run.state()
            self.state = state
            condition = RunCondition.word(state, hasSupervisor: isLive)
        } catch {
            state = nil
            condition = error is EventLogError ? Self.damaged : "unreadable"
        }
    }

    private var actions: [JobState] { (state?.jobs ?? []).filter { $0.kind != .collector } }
    private var completed: Int { actions.filter { $0.outcome == .completed }.count }
    private var failed: Int { count(.failed) }

    private func count(_ outcome: JobState.Outcome) -> Int { actions.filter { $0.outcome == outcome }.count }

    /// `6 ok, 1 failed, 2 unknown`: what is unknown is never told as failed.
    private var tally: String {
        let others = [(failed, "failed"), (count(.cancelled), "cancelled"), (count(.unknown), "unknown")]
        return (["\(completed) ok"] + others.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    }

    private var invalid: Int { state.map { state in state.jobs.count { !state.isValid($0) } } ?? 0 }

    var cells: [String] {
        guard let state else { return [id, "", condition, "", "", ""] }
        return [
            id, state.shortID, condition, Amount.age(since: state.started ?? state.created),
            actions.isEmpty ? "-" : tally, state.name,
        ]
    }

    func json(isCurrent: Bool) -> JSON {
        [
            "run": .string(id), "short_id": (state?.shortID).map { .string($0) }, "state": .string(condition),
            "name": (state?.name).map { .string($0) }, "profile": (state?.profile).map { .string($0) },
            "tags": state.map { JSON(strings: $0.tags) }, "created": (state?.created).map { .string($0) },
            "started": (state?.started).map { .string($0) }, "ended": (state?.ended).map { .string($0) },
            "actions_completed": JSON(completed), "actions_failed": JSON(failed),
            "actions_cancelled": JSON(count(.cancelled)), "actions_unknown": JSON(count(.unknown)),
            "jobs_invalid": JSON(invalid), "exported": state.map { .bool($0.isExported) }, "current": .bool(isCurrent),
        ]
    }
}
