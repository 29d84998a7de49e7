import ArgumentParser
import ECRCore
import Glibc

/// What `ecr run start` and `ecr run resume` run in the background; not for people.
struct Supervise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Own one run (started by `ecr run start`).", shouldDisplay: false)

    @Argument(help: "The absolute path of the run.") var directory: String
    @Argument(help: "What is to be done.") var task: Supervisor.Task
    @Flag(help: "The run was made for this.") var new = false

    /// Everything that a supervisor makes is for its owner alone.
    func supervise() async -> Int32 {
        umask(0o077)
        return await Supervisor.run(directory: directory, task: task, isNew: new)
    }
}

extension Supervisor.Task: ExpressibleByArgument {}
