import ArgumentParser
import ECRCore
import JSON

struct RunCancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a running action or command.",
        discussion: """
            Its processes get TERM, and KILL five seconds later; their end is confirmed before the command returns. What \
            the job has printed and made until then is kept. Without a name the only one that runs is meant.

            Example:
              ecr run cancel
              ecr run cancel 0004-measure
            """)

    @Argument(help: "A job's id, or the name of a running action.") var job: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "cancel anything in it")
        let request: JSON = ["request": "cancel", "job": job.map { .string($0) }]
        let result = try run.requestPatiently(request, "cancelling")
        if output.json { Terminal.result(result) }
        JobStream.tell(result)
    }
}
