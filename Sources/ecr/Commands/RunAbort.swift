import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import RunStore

struct RunAbort: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Give a run up; what was recorded is kept.",
        discussion: """
            An interrupted run is aborted without its target; its open jobs are then recorded as unknown, until `ecr run \
            drain` asks the target how they ended.

            Example:
              ecr run abort "wrong firmware"
            """)

    @Argument(help: "The reason.") var reason: [String] = []
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["created", "running", "paused", "interrupted"], to: "abort it")
        let result = try abort(run, reason.isEmpty ? nil : reason.joined(separator: " "))
        if output.json { Terminal.result(result) }
        AbortReport(result, run).show()
    }

    private func abort(_ run: ChosenRun, _ reason: String?) throws -> JSON {
        guard run.isLive else {
            let open = try OfflineRun(run.directory).abort(reason: reason)
            let unfetched = ((try? run.directory.state()) ?? run.state).unfetched.map(\.id)
            let spool = open.isEmpty && unfetched.isEmpty ? nil : run.state.spool
            return [
                "state": "aborted", "unfinished": .array(open.map(\.sighting)), "unfetched": JSON(strings: unfetched),
                "unsent": try? UnfinishedUploads(in: run.directory.events).json, "spool": spool.map { .string($0) },
            ]
        }
        let request: JSON = ["request": "abort", "reason": reason.map { .string($0) }]
        let result = try run.requestEnd(request, "aborting")
        run.waitForSupervisorsEnd()
        return result
    }
}

/// What an abort has left behind.
struct AbortReport {
    private let result: JSON
    private let run: ChosenRun

    init(_ result: JSON, _ run: ChosenRun) {
        self.result = result
        self.run = run
    }

    func show() {
        Terminal.say("run \(run.id) is aborted")
        let unfetched = (result["unfetched"]?.array ?? []).compactMap(\.string)
        for job in result["unfinished"]?.array ?? [] { Terminal.warn(sentence(about: job)) }
        for job in unfetched { Terminal.warn("not all of $ECR_OUT of \(job) has come") }
        let unsent = (result["unsent"]?.array ?? []).compactMap(\.string)
        for remote in unsent {
            Terminal.warn("what was on its way to \(remote) may be left there or beside it, as .ecr-…")
        }
        let spool = result["spool"]?.string
        if let spool { Terminal.say("what it has written there is kept in \(spool)") }
        guard spool != nil || !unsent.isEmpty else { return }
        let state = (try? run.directory.state()) ?? run.state
        Terminal.say("next: \(TargetCopy(state, run.directory).next ?? cleaning(state, isForced: spool != nil))")
    }

    private func cleaning(_ state: RunState, isForced: Bool) -> String {
        let target = FileSystem.exists(state.profileFile) ? shellWord(state.profileFile) : "TARGET"
        let command = "ecr target clean \(target) --run \(run.id)"
        return isForced
            ? "\(command) --force, once nothing of it is needed any more" : "\(command), which removes it"
    }

    /// What is known of a job without an end on record.
    private func sentence(about job: JSON) -> String {
        let id = job["job"]?.string ?? "?"
        if job["commands_ended"]?.bool == true {
            return "\(id) has ended on the target, but its end was not recorded: its files were still to come"
        }
        let seen = job["last_seen"]?.string.map { ", last seen \(Amount.clock($0))" } ?? ""
        return "\(id) may still run on the target\(seen); its outcome is unknown"
    }
}
