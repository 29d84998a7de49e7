import Testing
import YAML

/// Text that is written is the text that is read.
@Suite struct ScalarTextTests {
    private static let texts = [
        "", " ", "plain", "two words", "/a/path-1.2", "~", "null", "true", "12", "1e3", ".5", "-dash", "a: b", "a #b",
        "#c", "'single'", "\"double\"", "back\\slash", "{brace}", "[x]", "a, b", "&a", "*a", "!t", "%d", "@x", "`x`",
        "trailing ", " leading", "tab\there", "é µ °", "a\nb", "a\nb\n", "\na", "a\n\nb\n", "a\n  b\n", "  a\nb",
        "a \nb", "a\n\n", "\u{1B}[31mred", "bidi \u{202E}x", "nul\u{0}", "\u{85}", "\r\n", "emoji 🙂", "yes", "0x1F",
        "a\n#b\n", "? x", "- x", "key:", "---", "...\nx",
    ]

    @Test(arguments: texts) func isReadBack(text: String) throws {
        for scalar in [ScalarText.inline(text), ScalarText.block(text, margin: "    ")] {
            let document = try Document(parsing: Array("key:\n  sub: \(scalar)\nnext: x\n".utf8), file: "f")
            guard case .mapping(let members) = document.root.content,
                case .mapping(let inner) = members[0].value.content
            else { throw Unexpected() }
            let read = inner[0].value.scalar
            #expect(read?.text == text, "\(scalar)")
            #expect(read?.value == .text, "\(scalar)")
            #expect(members.count == 2)
        }
    }

    @Test(arguments: texts) func isSafeForATerminal(text: String) {
        for scalar in (ScalarText.inline(text) + ScalarText.block(text, margin: "  ")).unicodeScalars {
            #expect(scalar == "\n" || scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0x202E)
        }
    }

    @Test func severalLinesAreABlock() {
        #expect(ScalarText.block("a\nb\n", margin: "  ") == "|\n  a\n  b")
        #expect(ScalarText.block("a\n\nb", margin: "  ") == "|-\n  a\n\n  b")
    }

    private struct Unexpected: Error {}
}
