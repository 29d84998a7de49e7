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
        var command: any ParsableCommand.Type = ECR.self
        for (index, word) in topic.enumerated() {
            let children = command.visibleSubcommands
            guard let next = children.first(where: { $0._commandName == word }) else {
                let topics = index == 0 ? HelpTopic.allCases.map(\.rawValue) : []
                let known = children.map { $0._commandName } + topics
                throw unknown(word, behind: topic[..<index], KnownNames(known))
            }
            command = next
        }
        // By the way of the parser, which then knows by which of its names a command was called.
        var help = try ECR.parseAsRoot(topic + ["--help"])
        try help.run()
    }

    private func unknown(_ word: String, behind before: ArraySlice<String>, _ known: KnownNames) -> ECRFailure {
        let place = before.joined(separator: " ")
        let what = before.isEmpty ? "there is no command or topic '\(word)'" : "'ecr \(place)' has no command '\(word)'"
        let help = (["ecr help"] + before).joined(separator: " ")
        guard let near = known.closest(to: word) else { return ECRFailure(.usage, what, hint: help) }
        return ECRFailure(.usage, "\(what); did you mean '\(near)'?", hint: "\(help) \(near)")
    }
}
