import ArgumentParser
import ECRCore
import JSON

struct RunPause: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let nothing new start; what runs goes on.",
        discussion: """
            Running actions and collectors go on, but for collectors with `while_paused: false`. `ecr run resume` ends the pause; until then actions are refused, and \
            those that wait for their turn, or are the next of a stage, wait on.

            Example:
              ecr run pause "changing the battery"
            """)

    @Argument(help: "The reason.") var reason: [String] = []
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running"], to: "pause it")
        let text = reason.isEmpty ? nil : reason.joined(separator: " ")
        let result = try run.request(["request": "pause", "reason": text.map { .string($0) }])
        if output.json { Terminal.result(result) }
        let running = (result["running"]?.array ?? []).compactMap(\.string)
        let going =
            running.isEmpty ? "" : "; \(running.joined(separator: ", ")) \(running.count == 1 ? "goes" : "go") on"
        Terminal.say("run \(run.id) is paused\(going)\nnext: ecr run resume\(run.reference)")
    }
}
