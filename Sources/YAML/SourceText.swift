/// The text of one file, which diagnostics quote. Lines end where libyaml ends them: at LF, CR, CRLF, NEL, LS and PS.
package struct SourceText: Sendable {
    /// The file's name as people know it; it opens every message.
    package let file: String
    let characters: [Unicode.Scalar]
    private let lineStarts: [Int]

    init(file: String, text: String) {
        self.file = file
        characters = Array(text.unicodeScalars)
        var starts = [0]
        for (index, character) in characters.enumerated() where SourceText.isBreak(character) {
            let splitsPair = character == "\r" && index + 1 < characters.count && characters[index + 1] == "\n"
            if !splitsPair { starts.append(index + 1) }
        }
        lineStarts = starts
    }

    static func isBreak(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }

    static func isSpaceOrBreak(_ character: Unicode.Scalar) -> Bool {
        character == " " || character == "\t" || isBreak(character)
    }

    /// Columns of a line that are shown; a longer one is cut around the mark, so that thousands of problems in one
    /// endless line stay small.
    private static let shownColumns = 120

    /// The line of a mark without its end, and the column in that text at which the mark is.
    func excerpt(at mark: Mark) -> (line: String, column: Int) {
        guard mark.line >= 1, mark.line <= lineStarts.count else { return ("", 1) }
        let start = lineStarts[mark.line - 1]
        var end = mark.line < lineStarts.count ? lineStarts[mark.line] : characters.count
        while end > start, SourceText.isBreak(characters[end - 1]) { end -= 1 }
        let place = min(start + mark.column - 1, end)
        let isLong = end - start > SourceText.shownColumns
        let first = isLong ? max(start, place - SourceText.shownColumns / 2) : start
        let last = min(end, first + SourceText.shownColumns)
        let opening = first > start ? "…" : ""
        let text = String(String.UnicodeScalarView(characters[first..<last]))
        return (opening + text + (last < end ? "…" : ""), place - first + opening.unicodeScalars.count + 1)
    }

    /// The place of the character with this index (from 0).
    func mark(at index: Int) -> Mark {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        return Mark(line: low + 1, column: index - lineStarts[low] + 1)
    }

    /// Where in the file the byte `offset` of a scalar's text stands.
    ///
    /// Exact for characters that are not white space, because those occur in the text and in the file in the same
    /// order, whatever the style; only folded white space has no place of its own.
    package func mark(in node: Node, atByte offset: Int) -> Mark {
        guard let scalar = node.scalar else { return node.mark }
        var walker = ScalarWalker(characters: characters, extent: node.extent, style: scalar.style)
        var bytes = 0
        var place = node.extent.lowerBound
        for character in scalar.text.unicodeScalars {
            guard bytes <= offset else { break }
            bytes += UTF8.width(character)
            guard !SourceText.isSpaceOrBreak(character) else { continue }
            place = walker.nextInk() ?? place
        }
        return mark(at: place)
    }
}

/// Walks over the characters of a scalar in its file that are not white space, undoing quotes and escapes.
private struct ScalarWalker {
    let characters: [Unicode.Scalar]
    let end: Int
    let style: Scalar.Style
    var index: Int

    init(characters: [Unicode.Scalar], extent: Range<Int>, style: Scalar.Style) {
        self.characters = characters
        self.style = style
        end = min(extent.upperBound, characters.count)
        index = extent.lowerBound
        switch style {
        case .plain: break
        case .singleQuoted, .doubleQuoted: index += 1
        case .literal, .folded:
            while index < end, !SourceText.isBreak(characters[index]) { index += 1 }
        }
    }

    /// The index of the next character that the text has and that is not white space.
    mutating func nextInk() -> Int? {
        while index < end {
            let start = index
            let character = characters[index]
            index += 1
            if SourceText.isSpaceOrBreak(character) { continue }
            if style == .singleQuoted, character == "'" { index += 1 }
            guard style == .doubleQuoted, character == "\\" else { return start }
            if escapeIsInk() { return start }
        }
        return nil
    }

    /// Steps over the escape whose backslash has been read; says whether it stands for something visible.
    private mutating func escapeIsInk() -> Bool {
        guard index < end else { return false }
        let kind = characters[index]
        index += 1
        switch kind {
        case "x": return hexadecimalIsInk(digits: 2)
        case "u": return hexadecimalIsInk(digits: 4)
        case "U": return hexadecimalIsInk(digits: 8)
        case " ", "t", "\t", "n", "r", "N", "L", "P": return false
        default: return !SourceText.isBreak(kind)
        }
    }

    private mutating func hexadecimalIsInk(digits: Int) -> Bool {
        var text = String.UnicodeScalarView()
        while text.count < digits, index < end {
            text.append(characters[index])
            index += 1
        }
        guard let value = UInt32(String(text), radix: 16), let character = Unicode.Scalar(value) else { return true }
        return !SourceText.isSpaceOrBreak(character)
    }
}
