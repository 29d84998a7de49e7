import ArgumentParser
import ECRCore

/// In the place of the parser's own `help`, which knows no topics.
struct HelpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help", abstract: "Show help for a command, or the exit codes.",
        discussion: """
            Example:
              ecr help run start
              ecr help exit-codes
            """)

    @Argument(help: "A command, or `exit-codes`.") var topic: [String] = []

    func run() throws {
        if topic == ["exit-codes"] {
            Terminal.result("EXIT CODES:\n" + ECRCore.ExitCode.table)
            return
        }
        var command: any ParsableCommand.Type = ECR.self
        for word in topic {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
                throw ECRFailure(.usage, "there is no command '\(topic.joined(separator: " "))'", hint: "ecr help")
            }
            command = next
        }
        // By the way of the parser, which then knows by which of its names a command was called.
        var help = try ECR.parseAsRoot(topic + ["--help"])
        try help.run()
    }
}
