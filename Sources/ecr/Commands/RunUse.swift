import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunUse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use", abstract: "Make a run the current one.",
        discussion: """
            Example:
              ecr run use latest~1
            """)

    @Argument(
        help: ArgumentHelp("The run: its id, a prefix of it, its short id, latest or latest~N.", valueName: "run"))
    var name: String
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let runs = try common.runs
        let run = try RunFinder(runs).find(name)
        try runs.setCurrent(run)
        if output.json { Terminal.result(["run": .string(run.id)]) } else { Terminal.result(run.id) }
    }
}
