import ArgumentParser
import ECRCore
import JSON

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
        Terminal.say("run \(run.id) is aborted")
        let unfinished = (result["unfinished"]?.array ?? []).compactMap(\.string)
        if !unfinished.isEmpty { Terminal.warn("unfinished: \(unfinished.joined(separator: ", "))") }
    }

    private func abort(_ run: ChosenRun, _ reason: String?) throws -> JSON {
        guard run.isLive else {
            let open = try OfflineRun(run.directory).abort(reason: reason)
            return ["state": "aborted", "unfinished": JSON(strings: open)]
        }
        let request: JSON = ["request": "abort", "reason": reason.map { .string($0) }]
        let result = try run.requestPatiently(request, "aborting")
        run.waitForSupervisorsEnd()
        return result
    }
}
