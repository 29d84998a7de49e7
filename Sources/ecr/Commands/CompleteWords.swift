import ArgumentParser
import LinuxSystem

/// What the completion scripts ask. It reads files only, and is silent where it knows nothing.
struct CompleteWords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete-words", abstract: "Print what may stand at the cursor (for `ecr completion`).",
        discussion: """
            Example:
              ecr complete-words zsh run act
            """, shouldDisplay: false)

    @Argument(help: "The shell.") var shell: CompletionScript
    @Argument(
        parsing: .captureForPassthrough,
        help: "For bash the line up to the cursor and what it will replace, else the words behind `ecr`.")
    var words: [String] = []

    func run() {
        let candidates = shell == .bash ? bashCandidates : candidates(words)
        Terminal.result(candidates.lines.joined(separator: "\n"))
    }

    private func candidates(_ words: [String]) -> Candidates {
        let current = words.last ?? ""
        return PartialLine(ECR.self, words: words.dropLast(), current: current).candidates(for: current)
    }

    /// bash takes words as they are, without explanations.
    private var bashCandidates: Candidates {
        guard words.count == 2 else { return Candidates() }
        let line = BashLine(words[0], replaced: words[1])
        var candidates = candidates(Array(line.words.dropFirst()))
        if candidates.files == .profiles {
            // bash adds folders to our words, but no files.
            let files = ((try? FileSystem.list(".")) ?? []).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
            candidates.words += files.map { Candidates.Word($0) }
        }
        candidates.words = candidates.words.compactMap { word in
            line.replacement(word.text).map { Candidates.Word($0) }
        }
        return candidates
    }
}
