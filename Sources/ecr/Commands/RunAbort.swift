import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunAbort: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Give a run up; what was recorded is kept.",
        discussion: """
            An interrupted run is aborted without its target; its open jobs are then recorded as unknown.

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
            let spool = open.isEmpty ? nil : run.state.spool
            return [
                "state": "aborted", "unfinished": .array(open.map(\.sighting)), "spool": spool.map { .string($0) },
            ]
        }
        let request: JSON = ["request": "abort", "reason": reason.map { .string($0) }]
        let result = try run.requestPatiently(request, "aborting")
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
        for job in result["unfinished"]?.array ?? [] {
            let seen = job["last_seen"]?.string.map { ", last seen \(Amount.clock($0))" } ?? ""
            Terminal.warn("\(job["job"]?.string ?? "?") may still run on the target\(seen); its outcome is unknown")
        }
        for job in result["unfetched"]?.array ?? [] {
            Terminal.warn("not all of $ECR_OUT of \(job.string ?? "?") has come")
        }
        if let spool = result["spool"]?.string {
            Terminal.say("what it has written there is in \(spool): copy what you need, then ecr target clean --force")
        }
    }
}
