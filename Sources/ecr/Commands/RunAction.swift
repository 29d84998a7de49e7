import ArgumentParser
import ECRCore
import JSON

struct RunAction: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "action", abstract: "Run an action of the profile on the target.",
        discussion: """
            Its output is shown as it is produced, and recorded. Exits 0 when it \
            completed, 1 when it failed, 124 when it timed out, 79 when its outcome is unknown.

            Example:
              ecr run action measure -p size=64
            """)

    @Argument(help: ArgumentHelp("The action's name.", valueName: "action")) var name: String
    @OptionGroup var parameters: ParameterOptions
    @Flag(help: "Return as soon as the action has been launched; print its job.") var detach = false
    @OptionGroup var turn: TurnOptions
    @OptionGroup var onInterrupt: InterruptOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "run an action")
        try JobStream(run: run, isJSON: output.json, onInterrupt: onInterrupt).perform([
            "request": "action", "name": .string(name), "parameters": parameters.json, "detach": .bool(detach),
            "wait": .bool(!turn.noWait),
        ])
    }
}
