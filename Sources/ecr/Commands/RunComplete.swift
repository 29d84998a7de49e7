import ArgumentParser
import ECRCore
import JSON

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
        ]
        let result = try run.requestPatiently(request, "completing")
        run.waitForSupervisorsEnd()
        if output.json { Terminal.result(result) }
        try show(result, run)
    }

    private func show(_ result: JSON, _ run: ChosenRun) throws(Exit) {
        let missing = result["missing"]?.array ?? []
        let percent = result["complete_percent"].map { $0.text } ?? "?"
        Terminal.say("run \(run.id) is completed\ncomplete: \(percent) %")
        for hole in missing { Terminal.say("missing: \(hole.string ?? hole.text)") }
        Terminal.say("next: ecr run export\(run.reference.replacingOption())")
        if let spool = result["spool"]?.string { Terminal.say("the target's copy is kept in \(spool)") }
        if !missing.isEmpty { throw Exit(code: 1) }
    }
}

extension String {
    /// ` --run X` as the argument ` X`.
    func replacingOption() -> String { hasPrefix(" --run ") ? " " + dropFirst(" --run ".count) : self }
}
