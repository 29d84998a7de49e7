import ECRCore

/// `ecr(1)` in man(7)'s language, from the commands' own configuration and the tables behind the help topics.
///
/// Written for groff and mandoc alike: only macros of man(7), fonts by `\fB` and `\fI`.
struct ManPage {
    private let root: CommandReference
    /// Options that mean the same in most commands, explained once.
    private let common: [CommandReference.Argument]

    init(_ root: CommandReference) {
        self.root = root
        let all = root.leaves.flatMap(\.arguments).filter { $0.kind != .positional }
        var counts: [CommandReference.Argument: Int] = [:]
        for argument in all { counts[argument, default: 0] += 1 }
        var seen: Set<CommandReference.Argument> = []
        common = all.filter { counts[$0, default: 0] * 2 > root.leaves.count && seen.insert($0).inserted }
    }

    var text: String {
        var page = Roff()
        page.line(".TH ECR 1 \(ECRVersion.date) \"ecr \(ECRVersion.current)\" \"Experiment Control & Record\"")
        page.section("name")
        page.prose("ecr \\- ", lowercased(root.abstract))
        page.section("synopsis")
        page.line("\\fBecr\\fR \\fICOMMAND\\fR [\\fIargument\\fR]...")
        page.section("description")
        page.parts([.paragraph(ECR.introduction)])
        page.section("commands")
        page.line("Most of them understand:")
        list(common, in: &page)
        for command in root.leaves { describe(command, in: &page) }
        page.section("exit status")
        page.parts([HelpTopic.exitCodeList])
        page.section("environment")
        page.parts([.list(HelpTopic.variables)])
        page.section("files")
        page.parts(files)
        page.section("examples")
        page.parts([.verbatim(ECR.example)])
        page.section("see also")
        page.line("\\fBssh\\fR(1), \\fBsshd\\fR(8)")
        page.parts([
            .paragraph("More is printed by ecr itself:"),
            .list(HelpTopic.allCases.map { ("ecr help \($0.rawValue)", $0.abstract) }),
        ])
        return page.text
    }

    private var files: [HelpText.Part] {
        [
            .list([
                ("./runs", "the runs, each in a directory of its own; `ecr help run-directory` names what is in it"),
                ("./profiles, ./Profiles", "where profiles are found by name; `ecr help profile` lists their keys"),
                ("ecr.yaml", "a project's settings, here or in a folder above; `ecr config --help` lists its keys"),
                ("~/.config/ecr/config.yaml", "your own settings, which count where the project has none"),
                ("/usr/share/ecr/profiles", "those that come with ecr, to be copied and changed"),
                ("~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts", "the host keys that are believed"),
            ])
        ]
    }

    private func describe(_ command: CommandReference, in page: inout Roff) {
        page.line(".SS " + Roff.escaped(synopsis(command)))
        let long = ["run"] + command.words
        if root.leaves.contains(where: { $0.words == long }) {
            page.prose("", "Short for `ecr \(long.joined(separator: " "))`.")
            return
        }
        page.parts([.paragraph(command.abstract)] + HelpText(discussion: command.discussion).parts)
        list(command.arguments.filter { !common.contains($0) }, in: &page)
    }

    private func synopsis(_ command: CommandReference) -> String {
        let own = command.arguments.filter { !common.contains($0) }
        return (["ecr"] + command.words + own.map(usage)).joined(separator: " ")
    }

    private func usage(_ argument: CommandReference.Argument) -> String {
        var text = argument.names.first ?? ""
        if argument.kind != .flag { text += (text.isEmpty ? "" : " ") + value(argument) }
        if argument.isBehindTerminator { return "[-- \(text)...]" }
        if argument.isOptional { text = "[\(text)]" }
        return text + (argument.isRepeating ? "..." : "")
    }

    private func value(_ argument: CommandReference.Argument) -> String {
        argument.choices.isEmpty ? argument.valueName.uppercased() : argument.choices.joined(separator: "|")
    }

    private func list(_ arguments: [CommandReference.Argument], in page: inout Roff) {
        page.parts([
            .list(
                arguments.map { argument in
                    let value = argument.kind == .flag ? [] : [value(argument)]
                    return (
                        (argument.names.isEmpty ? value : [argument.names.joined(separator: ", ")] + value)
                            .joined(separator: " "), argument.abstract
                    )
                })
        ])
    }

    /// A sentence as a noun phrase, as apropos(1) shows it.
    private func lowercased(_ sentence: String) -> String {
        let text = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

/// Lines of a man page.
private struct Roff {
    private var lines: [String] = []

    var text: String { lines.joined(separator: "\n") + "\n" }

    /// Adds a line that is roff already.
    mutating func line(_ line: String) { lines.append(line) }

    mutating func section(_ title: String) { line(".SH " + title.uppercased()) }

    mutating func parts(_ parts: [HelpText.Part]) {
        for part in parts {
            switch part {
            case .heading(let title): line(".SS " + Roff.escaped(title))
            case .paragraph(let text):
                beginParagraph()
                prose("", text)
            case .verbatim(let text):
                beginParagraph()
                line(".nf")
                lines += text.split(separator: "\n", omittingEmptySubsequences: false).map {
                    Roff.protected(Roff.escaped(String($0)))
                }
                line(".fi")
            case .list(let items):
                for (term, text) in items {
                    line(".TP\n\\fB\(Roff.escaped(term))\\fR")
                    prose("", text)
                }
            }
        }
    }

    private mutating func beginParagraph() {
        // Behind a title one has begun already.
        if lines.last?.hasPrefix(".S") != true { line(".PP") }
    }

    /// Adds text in lines that are not long in the source either.
    /// - Parameter head: stands before it and is roff already.
    mutating func prose(_ head: String, _ text: String) {
        lines += Wrapping(head + Roff.escaped(text)).lines(width: 80).map(Roff.protected)
    }

    /// A line that is no request, though it begins with a dot.
    private static func protected(_ line: String) -> String { line.hasPrefix(".") ? "\\&" + line : line }

    /// Text without escape sequences of its own; hyphens stay what a shell understands.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case "\"": "\\(dq"
            default: scalar.isASCII ? String(scalar) : "\\[u\(hexadecimal(scalar))]"
            }
        }.joined()
    }

    /// At least four digits, as groff_char(7) wants them.
    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
