import Testing

/// Files that are made to be expensive still get an answer, and not one message for each of their tricks.
@Suite struct HostileProfileTests {
    private let head = "name: n\nconnection: {host: h}\n"

    @Test func answersManyRefusals() {
        let text = head + "actions: {a: {commands: [\"x '" + String(repeating: "{a}", count: 60_000) + "'\"]}}\n"
        #expect(complaints(text).count == 20)
    }

    @Test func answersManyWarnings() {
        let text = head + "actions: {a: {commands: ['eval" + String(repeating: " {a}", count: 40_000) + "']}}\n"
        #expect(complaints(text).count == 1)
    }

    @Test func answersLongWords() {
        let text = head + "actions: {a: {commands: ['" + String(repeating: "x", count: 250_000) + " {a}']}}\n"
        #expect(complaints(text) == [])
    }

    @Test func answersManyProblemsOfOneLine() {
        #expect(complaints("{" + String(repeating: "name: 1, ", count: 4000) + "}").count > 3999)
    }
}
