import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a run without starting it.",
        discussion: """
            Needs no target. The run becomes the current one; only its id is printed on stdout.

            Example:
              ecr run create device.yaml --name cold-start --tag lab -p size=64
              ecr run start
            """)

    @Argument(help: "The profile: a path, or a name in the directory for profiles.") var profile: String
    @OptionGroup var new: NewRunOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let runs = try common.runs
        let run = try new.make(profile, in: runs)
        try runs.setCurrent(run)
        let shortID = try run.state().shortID
        if output.json {
            Terminal.result(["run": .string(run.id), "short_id": .string(shortID), "path": .string(run.path)])
        } else {
            Terminal.result(run.id)
        }
        Terminal.say("created in \(run.path), short id \(shortID)\nnext: ecr run start")
    }
}
