import ArgumentParser

/// What may stand at the cursor.
struct Candidates {
    struct Word {
        let text: String
        var explanation = ""

        init(_ text: String, _ explanation: String = "") {
            self.text = text
            self.explanation = explanation
        }

        init(_ command: any ParsableCommand.Type) { self.init(command._commandName, command.configuration.abstract) }
    }

    enum Files: String {
        case none = "words"
        case files
        case profiles
        case directories
    }

    var words: [Word] = []
    /// Names of the shell's file system that may stand there, too: the shell itself completes them best.
    var files = Files.none

    /// The candidates with a text before each of them.
    func prefixed(_ prefix: String) -> Candidates {
        Candidates(words: words.map { Word(prefix + $0.text, $0.explanation) }, files: files)
    }

    /// For the scripts: first a word on files, then a candidate a line, the first line of its explanation behind a tab. What would break
    /// this form, or the terminal, is left out.
    var lines: [String] {
        [files.rawValue]
            + words.filter { SafeText.line($0.text) == $0.text && !$0.text.contains("\t") }.map { word in
                let first = word.explanation.split(separator: "\n").first ?? ""
                let explanation = SafeText.line(String(first)).split(separator: "\t").joined(separator: " ")
                return explanation.isEmpty ? word.text : "\(word.text)\t\(explanation)"
            }
    }
}

extension PartialLine {
    /// - Parameter current: the word at the cursor.
    func candidates(for current: String) -> Candidates {
        let source = CandidateSource(line: self)
        switch place {
        case .nothing: return Candidates()
        case .command(let commands):
            return Candidates(words: commands.map { Candidates.Word($0) })
        case .value(let argument, let prefix):
            return source.values(of: argument, typed: String(current.dropFirst(prefix.count))).prefixed(prefix)
        case .argument(let options, let positional):
            if let positional, !current.hasPrefix("-") { return source.values(of: positional, typed: current) }
            let names = options.flatMap { option in
                // The short ones only for somebody who has begun with a dash.
                option.names.filter { !current.isEmpty || $0.hasPrefix("--") }.map {
                    Candidates.Word($0, option.abstract)
                }
            }
            return Candidates(words: names)
        }
    }
}
