import ArgumentParser
import ECRCore
import JSON

struct RunExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command on the target, recorded like an action.",
        discussion: """
            One word behind `--` is a command line for the target's shell; several are one command and its arguments.

            Example:
              ecr run exec -- uname -a
              ecr run exec -- 'dmesg | tail -5'
              ecr run exec --sudo -- dmesg
            """)

    @Flag(help: "Run it as root, by sudo on the target.") var sudo = false
    @Flag(help: "Return as soon as the command has been launched; print its job.") var detach = false
    @OptionGroup var onInterrupt: InterruptOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions
    @Argument(parsing: .postTerminator, help: "The command, behind `--`.") var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("give the command behind `--`: `ecr run exec -- uname -a`") }
    }

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "run a command")
        try JobStream(run: run, isJSON: output.json, onInterrupt: onInterrupt).perform([
            "request": "exec", "command": JSON(strings: command), "sudo": .bool(sudo),
            "detach": .bool(detach),
        ])
    }
}
