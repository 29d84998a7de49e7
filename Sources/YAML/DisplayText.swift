/// Text from a file, made fit for a terminal.
enum DisplayText {
    /// The text with everything escaped that could move the cursor or reorder what is read: C0, C1, DEL, line
    /// separators and bidirectional controls.
    static func safe(_ text: String) -> String { text.unicodeScalars.map(shown).joined() }

    /// The line, and below it a caret under the character `column` (from 1).
    ///
    /// Tabs stay tabs in both lines, so the caret fits whatever the terminal's tab stops are.
    static func excerpt(of line: String, caretAt column: Int) -> String {
        safe(line) + "\n" + line.unicodeScalars.prefix(column - 1).map(blank).joined() + "^"
    }

    private static func shown(_ character: Unicode.Scalar) -> String {
        isControl(character) && character != "\t" ? "\\u{\(String(character.value, radix: 16))}" : String(character)
    }

    /// As many blanks as the character takes columns.
    private static func blank(_ character: Unicode.Scalar) -> String {
        if character == "\t" { return "\t" }
        if isControl(character) { return String(repeating: " ", count: shown(character).utf8.count) }
        if isCombining(character) { return "" }
        return isWide(character) ? "  " : " "
    }

    private static func isControl(_ character: Unicode.Scalar) -> Bool {
        switch character.value {
        case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    private static func isCombining(_ character: Unicode.Scalar) -> Bool {
        switch character.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: true
        default: false
        }
    }

    /// The blocks that Unicode's East Asian Width (UAX #11) calls wide, and emoji.
    private static func isWide(_ character: Unicode.Scalar) -> Bool {
        switch character.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: character.properties.isEmojiPresentation
        }
    }
}
