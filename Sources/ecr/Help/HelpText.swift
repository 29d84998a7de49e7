/// A text in parts, which the terminal and the man page show each in their way.
struct HelpText {
    enum Part {
        case heading(String)
        case paragraph(String)
        /// Lines that stay as they are.
        case verbatim(String)
        /// Terms, each with what is to be said about it; a line break begins a new line there, too.
        case list([(term: String, text: String)])
    }

    var parts: [Part]

    init(_ parts: [Part]) { self.parts = parts }

    /// The text of a command's configuration: paragraphs, and lines that begin with a blank as examples.
    init(discussion: String) {
        let blocks = discussion.split(separator: "\n\n", omittingEmptySubsequences: true)
        parts = blocks.flatMap { block -> [Part] in
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            let prose = lines.prefix { !$0.hasPrefix(" ") }
            let rest = lines.dropFirst(prose.count)
            return (prose.isEmpty ? [] : [.paragraph(prose.joined(separator: "\n"))])
                + (rest.isEmpty ? [] : [.verbatim(rest.joined(separator: "\n"))])
        }
    }

    /// For a terminal or a file, in lines of at most 80 columns: reading is hard beyond that, and a terminal that is
    /// narrower is rare.
    var plain: String {
        parts.map { part in
            switch part {
            case .heading(let title): title + ":"
            case .paragraph(let text): Wrapping(text).lines(width: Self.width).joined(separator: "\n")
            case .verbatim(let text): text
            case .list(let items): Self.plain(items)
            }
        }.joined(separator: "\n\n")
    }

    private static let width = 80

    private static func plain(_ items: [(term: String, text: String)]) -> String {
        let margin = 2 + (items.map(\.term.count).max() ?? 0) + 2
        return items.map { term, text in
            let lines = Wrapping(text).lines(width: width - margin)
            let first = "  " + term + String(repeating: " ", count: margin - 2 - term.count) + (lines.first ?? "")
            return ([first] + lines.dropFirst().map { String(repeating: " ", count: margin) + $0 })
                .joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

/// A text broken into lines between words; its own line breaks stay.
struct Wrapping {
    private let text: String

    init(_ text: String) { self.text = text }

    func lines(width: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            var lines = [""]
            for word in line.split(separator: " ") {
                let last = lines[lines.count - 1]
                if last.isEmpty {
                    lines[lines.count - 1] = String(word)
                } else if last.count + 1 + word.count <= width {
                    lines[lines.count - 1] += " " + word
                } else {
                    lines.append(String(word))
                }
            }
            return lines
        }
    }
}
