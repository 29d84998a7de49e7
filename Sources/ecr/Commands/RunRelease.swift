import ArgumentParser
import ECRCore
import JSON

struct RunRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let the next action begin although a rule holds it.",
        discussion: """
            The reason is recorded. The rule counts again once its condition has ended.

            Example:
              ecr run release "the sensor is stuck at 84"
            """)

    @Argument(help: "The reason.") var reason: [String]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "release what a rule holds")
        let text = try GivenText(reason, what: "reason").text
        let result = try run.request(["request": "release", "reason": .string(text)])
        if output.json { Terminal.result(result) }
        let rules = (result["released"]?.array ?? []).compactMap(\.string)
        Terminal.say("released: \(rules.joined(separator: ", "))")
    }
}
