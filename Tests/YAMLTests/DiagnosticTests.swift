import Testing

@testable import YAML

@Suite struct DiagnosticTests {
    private func describe(_ line: String, column: Int) -> String {
        let source = SourceText(file: "p.yaml", text: "first\n" + line + "\nlast")
        return Diagnostic(.warning, "odd", at: Mark(line: 2, column: column), in: source).description
    }

    @Test func pointsAtTheColumn() {
        #expect(describe("abc: d", column: 6) == "p.yaml:2:6: warning: odd\nabc: d\n     ^")
        #expect(describe("abc", column: 9) == "p.yaml:2:9: warning: odd\nabc\n   ^")
    }

    @Test func keepsTabsAndMeasuresWideText() {
        #expect(describe("\ta\tb", column: 4) == "p.yaml:2:4: warning: odd\n\ta\tb\n\t \t^")
        #expect(describe("日本e\u{301}x", column: 5) == "p.yaml:2:5: warning: odd\n日本e\u{301}x\n     ^")
    }

    @Test func escapesTerminalControls() {
        #expect(describe("a\u{1b}[2Jb", column: 6) == "p.yaml:2:6: warning: odd\na\\u{1b}[2Jb\n          ^")
        #expect(describe("\u{202e}x", column: 2) == "p.yaml:2:2: warning: odd\n\\u{202e}x\n        ^")
        let source = SourceText(file: "a\u{7}.yaml", text: "x")
        let message = Diagnostic(.error, "no '\u{1b}c'\n", at: Mark(line: 1, column: 1), in: source).description
        #expect(message == "a\\u{7}.yaml:1:1: error: no '\\u{1b}c'\\u{a}\nx\n^")
    }

    @Test func cutsLongLines() {
        let line = String(repeating: "a", count: 1000) + "X" + String(repeating: "b", count: 1000)
        let shown = "…" + String(repeating: "a", count: 60) + "X" + String(repeating: "b", count: 59) + "…"
        let caret = String(repeating: " ", count: 61) + "^"
        #expect(describe(line, column: 1001) == "p.yaml:2:1001: warning: odd\n\(shown)\n\(caret)")
    }

    @Test func sortsByPlaceAndKeepsTheOrderOfOnePlace() {
        let source = SourceText(file: "p", text: "a\nb")
        func make(_ text: String, _ line: Int) -> Diagnostic {
            Diagnostic(.error, text, at: Mark(line: line, column: 1), in: source)
        }
        let all = Diagnostics([make("3", 2), make("1", 1), make("4", 2), make("2", 1)]).all
        #expect(all.map(\.message) == ["1", "2", "3", "4"])
    }
}
