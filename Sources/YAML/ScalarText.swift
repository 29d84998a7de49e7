/// Text as a YAML scalar that is read back as the same text (YAML 1.2, chapter 7), and that is safe for a terminal.
package enum ScalarText {
    /// Plain where nobody could misread it, else in double quotes.
    package static func inline(_ text: String) -> String {
        if isPlain(text), case .text = CoreValue(plain: text) { return text }
        return "\"\(text.unicodeScalars.map(escaped).joined())\""
    }

    /// A literal block (section 8.1.2) for text of several lines, each line with `margin` before it; inline where the
    /// text has one line, or what a block cannot hold.
    package static func block(_ text: String, margin: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let hasNewline = text.hasSuffix("\n")
        let content = hasNewline ? lines.dropLast() : lines[...]
        let isFit =
            content.count > 1 && !content.contains { $0.last == " " || $0.last == "\t" }
            && content.first?.isEmpty == false && content.first?.first != " " && content.last?.isEmpty == false
            && text.unicodeScalars.allSatisfy { $0 == "\n" || !mustBeEscaped($0) && $0 != "\t" }
        guard isFit else { return inline(text) }
        return (["|" + (hasNewline ? "" : "-")] + content.map { $0.isEmpty ? "" : margin + $0 }).joined(separator: "\n")
    }

    /// A word, or words with single blanks between them, of characters that mean nothing in YAML.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/") else { return false }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        return words.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { isLetter($0) || plainBytes.contains($0) } }
    }

    private static let plainBytes = Set("0123456789_./@%+=~^-$();|<>".utf8)

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\\", "\"": return "\\\(scalar)"
        case "\n": return "\\n"
        case "\t": return "\\t"
        default: break
        }
        guard mustBeEscaped(scalar) else { return String(scalar) }
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// Controls, which YAML does not allow, and those that would reorder a line on a terminal. All fit into four digits.
    private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE, 0xFFFF:
            true
        default: false
        }
    }
}
