import ArgumentParser
import ECRCore
import YAML

/// In the place of the parser's own `help`, which knows no topics.
struct HelpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help", abstract: "Show help for a command or a topic.",
        discussion: """
            Without an argument it lists the commands and the topics.

            Example:
              ecr help run start
              ecr help exit-codes
            """)

    @Argument(help: "A command, or a topic.") var topic: [String] = []

    func run() throws {
        if topic.count == 1, let topic = HelpTopic(rawValue: topic[0]) {
            Terminal.result(topic.text.plain)
            return
        }
        try check()
        // By the way of the parser, which then knows by which of its names a command was called.
        var help = try ECR.parseAsRoot(topic + ["--help"])
        try help.run()
    }

    /// A topic may be mistyped as well as a command.
    private func check() throws(ECRFailure) {
        do { _ = try CommandPath(topic) } catch {
            let topics = KnownNames(HelpTopic.allCases.map(\.rawValue))
            guard topic.count == 1, let near = topics.closest(to: topic[0]) else { throw error }
            throw ECRFailure(
                .usage, "there is no command or topic '\(topic[0])'; did you mean '\(near)'?", hint: "ecr help \(near)")
        }
    }
}
