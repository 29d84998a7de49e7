import LinuxSystem
import TestSupport
import Testing

/// Texts as literal words, read by real shells.
@Suite struct ShellWordTests {
    /// To Swift, a quote with a combining mark behind it is one character.
    @Test(
        arguments: Shells.all,
        [
            "", "a'b", "'\u{301}", "x'\u{301}; echo out; '\u{20DD}", "'\u{200D}'", "\r'\n'", "$HOME `id` \\ \"",
            "e\u{301}'",
        ])
    func aWordIsItsText(shell: [String], text: String) async throws {
        let line = "printf %s \(shellWord(text))"
        let result = try await Command.run(shell[0], Array(shell.dropFirst()) + ["-c", line])
        #expect(result.output == Array(text.utf8))
        #expect(shellWord(Array(text.utf8)) == Array(shellWord(text).utf8))
    }
}
