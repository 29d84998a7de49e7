import ArgumentParser
import ECRCore
import YAML

/// A command by its words, such as `run start`.
struct CommandPath {
    let command: any ParsableCommand.Type

    /// - Throws: `.usage` with the command that was probably meant.
    init(_ words: [String]) throws(ECRFailure) {
        var found: any ParsableCommand.Type = ECR.self
        for (index, word) in words.enumerated() {
            let below = found.visibleSubcommands
            guard let next = below.first(where: { $0._commandName == word }) else {
                throw Self.unknown(
                    word, below: Array(words[..<index]), among: below.map { $0._commandName })
            }
            found = next
        }
        command = found
    }

    /// Refuses a command line that the parser could not read, where the mistake is in the command's name.
    static func check(_ arguments: [String]) throws(ECRFailure) {
        for count in arguments.indices {
            let path = try CommandPath(Array(arguments[..<count]))
            if arguments[count].hasPrefix("-") || path.command.configuration.subcommands.isEmpty { return }
        }
        _ = try CommandPath(arguments)
    }

    private static func unknown(_ word: String, below path: [String], among siblings: [String]) -> ECRFailure {
        let name = (path + [word]).joined(separator: " ")
        if let near = meant(word, below: path, among: siblings) {
            return ECRFailure(.usage, "there is no command '\(name)'; did you mean '\(near)'?", hint: "ecr \(near)")
        }
        let known = path.isEmpty ? "" : "; there are: \(siblings.joined(separator: ", "))"
        let help = (["ecr", "help"] + path).joined(separator: " ")
        return ECRFailure(.usage, "there is no command '\(name)'\(known)", hint: help)
    }

    /// A command of the same place that is spelled nearly so, or one of that name below `run`.
    private static func meant(_ word: String, below path: [String], among siblings: [String]) -> String? {
        let ofRun = RunCommand.configuration.subcommands.map { $0._commandName }
        if path.isEmpty && ofRun.contains(word) { return "run \(word)" }
        if let near = KnownNames(siblings).closest(to: word) {
            return (path + [near]).joined(separator: " ")
        }
        return path.isEmpty ? KnownNames(ofRun).closest(to: word).map { "run \($0)" } : nil
    }
}
