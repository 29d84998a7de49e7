/// A command line as bash hands it to a completion function, up to the cursor.
///
/// bash breaks words at the characters of COMP_WORDBREAKS, `=` and `:` among them, and replaces only what is behind
/// the last of them. So the line is read anew here, and the answer is cut to what bash will replace.
struct BashLine {
    /// The words without their quoting; the last one is at the cursor.
    private(set) var words: [String] = []
    /// How many characters of the last word bash keeps.
    private var kept = 0
    /// The quotation mark that is open at the cursor.
    private var quote: Character?

    /// - Parameters:
    ///   - line: COMP_LINE up to COMP_POINT.
    ///   - replaced: what bash will replace, its `$2`: the end of the line.
    init(_ line: String, replaced: String) {
        let start = line.count - replaced.count
        var word: String?
        var isEscaped = false
        for (index, character) in line.enumerated() {
            if index == start { kept = word?.count ?? 0 }
            switch character {
            case _ where isEscaped:
                word = (word ?? "") + String(character)
                isEscaped = false
            case "\\" where quote != "'":
                isEscaped = true
                word = word ?? ""
            case "'", "\"":
                if quote == nil { quote = character } else if quote == character { quote = nil } else { fallthrough }
                word = word ?? ""
            case " ", "\t":
                if quote != nil { fallthrough }
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        if start >= line.count { kept = word?.count ?? 0 }
        words.append(word ?? "")
    }

    /// What bash is to put in place of what it replaces; nil for a candidate that does not go on as the word begins.
    func replacement(_ candidate: String) -> String? {
        guard let typed = words.last, candidate.hasPrefix(typed) else { return nil }
        let rest = candidate.dropFirst(kept)
        guard quote == nil else { return String(rest) }
        return rest.map { Self.isPlain($0) ? String($0) : "\\\($0)" }.joined()
    }

    private static func isPlain(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || "_.,:=/@%+-~".contains(character)
    }
}
