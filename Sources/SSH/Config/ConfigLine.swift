/// One line of an ssh_config file, cut into words as ssh(1) cuts it (misc.c, `strdelim` and `argv_split` of OpenSSH).
struct ConfigLine: Equatable {
    /// In lower case: keywords are written in any.
    let keyword: String
    /// What follows the keyword and its `=`, as written.
    let rest: String

    /// What makes a line unreadable.
    struct Problem: Error, Equatable {
        let message: String
    }

    /// Reads a line; nil for an empty one or a comment.
    init?(_ line: some StringProtocol) throws(Problem) {
        var text = Substring(String(line))
        while let last = text.last, last.isConfigBlank || last == "\u{0C}" { text.removeLast() }
        guard let word = ConfigLine.delimitedWord(&text), !word.isEmpty, !word.hasPrefix("#") else { return nil }
        keyword = word.lowercased()
        rest = String(text)
        guard !text.isEmpty else { throw Problem(message: "nothing follows '\(word)'") }
    }

    /// Takes the next word off a text in which blanks or one `=` separate words, and double quotes hold one together.
    /// - Returns: nil at the end, or at a quote without its partner.
    static func delimitedWord(_ text: inout Substring) -> String? {
        text = text.drop(while: \.isConfigBlank)
        guard let first = text.first else { return nil }
        if first == "\"" {
            let inner = text.dropFirst()
            guard let end = inner.firstIndex(of: "\"") else { return nil }
            text = inner[inner.index(after: end)...].drop(while: \.isConfigBlank)
            return String(inner[..<end])
        }
        let word = text.prefix { !$0.isConfigBlank && $0 != "=" && $0 != "\"" }
        text = text[word.endIndex...].drop(while: \.isConfigBlank)
        if text.first == "=" { text = text.dropFirst().drop(while: \.isConfigBlank) }
        return String(word)
    }

    /// The words behind the keyword: blanks separate them, single and double quotes hold one together, a backslash
    /// takes the meaning from quotes, blanks and itself, and `#` at a word's start begins a comment.
    func arguments() throws(Problem) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var characters = Array(rest)[...]
        while let character = characters.popFirst() {
            let isBlank = character == " " || character == "\t"
            if word == nil, isBlank { continue }
            if word == nil, character == "#" { break }
            if character == "\\", let next = characters.first,
                "'\"\\".contains(next) || quote == nil && next == " "
            {
                word = (word ?? "") + String(characters.removeFirst())
            } else if quote == nil, isBlank {
                words.append(word ?? "")
                word = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character == quote {
                quote = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if quote != nil { throw Problem(message: "a quote is not closed") }
        if let word { words.append(word) }
        return words
    }
}

extension Character {
    /// Origin: WHITESPACE in misc.c.
    var isConfigBlank: Bool { self == " " || self == "\t" || self == "\r" || self == "\n" || self == "\r\n" }
}
