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
        _ = try CommandPath(topic)
        // By the way of the parser, which then knows by which of its names a command was called.
        var help = try ECR.parseAsRoot(topic + ["--help"])
        try help.run()
    }
}
