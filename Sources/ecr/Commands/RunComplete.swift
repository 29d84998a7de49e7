import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunComplete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "End a run: fetch what is left, compare both ends, and say what is missing.",
        discussion: """
            Refused while actions run, unless --wait or --cancel-running. Exits 0 with a whole record, whatever the \
            actions did, and 1 when something is missing.

            Example:
              ecr run complete --wait
            """)

    @Flag(help: "Wait for running actions.") var wait = false
    @Flag(help: "Cancel running actions.") var cancelRunning = false
    @Flag(
        help: """
            End the run although the target is not connected, without its `finally:` actions; `ecr run drain` fetches the \
            rest later.
            """)
    var withoutTarget = false
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if wait && cancelRunning { throw ValidationError("give either --wait or --cancel-running") }
    }

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "complete it")
        let request: JSON = [
            "request": "complete", "wait": .bool(wait), "cancel_running": .bool(cancelRunning),
            "without_target": .bool(withoutTarget),
        ]
        let result = try run.requestEnd(request, "completing")
        run.waitForSupervisorsEnd()
        if output.json { Terminal.result(result) }
        try LedgerReport(result, run).show("run \(run.id) is completed")
    }

}

/// How a run's record stands at its end, for `complete` and `drain`.
struct LedgerReport {
    private let result: JSON
    private let run: ChosenRun

    init(_ result: JSON, _ run: ChosenRun) {
        self.result = result
        self.run = run
    }

    /// Ends the command with 1 when something is missing.
    func show(_ headline: String) throws(Exit) {
        let missing = result["missing"]?.array ?? []
        let completeness = Completeness(result["ledger"])
        Terminal.say("\(headline)\ncomplete: \(completeness.text)")
        for hole in missing { Terminal.say("missing: \(hole.string ?? hole.text)") }
        for remark in result["ledger"]?["remarks"]?.array ?? [] {
            Terminal.say("remark: \(remark.string ?? remark.text)")
        }
        if let hash = result["head_hash"]?.string { Terminal.say("head hash: \(hash)") }
        let skipped = (result["finally_skipped"]?.array ?? []).compactMap(\.string)
        if !skipped.isEmpty {
            Terminal.warn("`finally:` was skipped, it needs the target: \(skipped.joined(separator: ", "))")
        }
        if let spool = result["spool"]?.string { Terminal.say("the target's copy is kept in \(spool)") }
        // Whoever drains names the run, since by then another one will be the current one.
        let drain = (try? run.directory.state()).flatMap { TargetCopy($0, run.directory).next }
        Terminal.say("next: \(drain ?? "ecr run export\(run.reference.replacingOption())")")
        if !missing.isEmpty { throw Exit(code: 1) }
    }
}

extension String {
    /// ` --run X` as the argument ` X`.
    func replacingOption() -> String { hasPrefix(" --run ") ? " " + dropFirst(" --run ".count) : self }
}
