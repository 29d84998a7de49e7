import ArgumentParser
import ECRCore
import JSON

struct RunStage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stage", abstract: "Run the actions of a stage in their order.",
        discussion: """
            The stage stops at the first action that does not complete, and exits as that action would have.

            Example:
              ecr run stage warmup -p repeat=3
            """)

    @Argument(help: ArgumentHelp("The stage's name.", valueName: "stage")) var name: String
    @OptionGroup var parameters: ParameterOptions
    @OptionGroup var turn: TurnOptions
    @OptionGroup var onInterrupt: InterruptOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "run a stage")
        let request: JSON = [
            "request": "stage", "name": .string(name), "parameters": parameters.json, "wait": .bool(!turn.noWait),
        ]
        let result = try JobStream(run: run, isJSON: output.json, onInterrupt: onInterrupt).wait(for: request)
        if output.json { Terminal.result(result) }
        let reason = result["reason"]?.string.map { ": \($0)" } ?? ""
        Terminal.say("stage \(name) \(result["outcome"]?.string ?? "ended")\(reason)")
        let rest = (result["not_run"]?.array ?? []).compactMap(\.string)
        if !rest.isEmpty { Terminal.say("not run: \(rest.joined(separator: ", "))") }
        let code = result["exit_code"]?.int.flatMap { Int32(exactly: $0) } ?? 0
        if code != 0 { throw Exit(code: code) }
    }
}
