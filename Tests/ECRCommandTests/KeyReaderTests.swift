import Testing

@testable import ecr

/// What a terminal sends, and what it is drawn.
@Suite struct KeyReaderTests {
    private func keys(_ pieces: String...) -> [KeyReader.Key] {
        var reader = KeyReader()
        return pieces.flatMap { $0.isEmpty ? reader.pause() : reader.take(Array($0.utf8)) }
    }

    private func byte(_ character: Unicode.Scalar) -> KeyReader.Key { .byte(UInt8(ascii: character)) }

    @Test func arrowsAreNoEscape() {
        #expect(keys("a\u{1B}[Ab") == [byte("a"), .up, byte("b")])
        #expect(keys("\u{1B}OB\u{1B}[C\u{1B}[1;5B\u{1B}[3~") == [.down, .other, .down, .other])
        // In pieces, as a slow link brings them.
        #expect(keys("\u{1B}", "[", "A", "q") == [.up, byte("q")])
    }

    @Test func anEscapeIsOneOnceNothingFollows() {
        #expect(keys("\u{1B}") == [])
        #expect(keys("\u{1B}", "") == [.escape])
        #expect(keys("\u{1B}q") == [.escape, byte("q")])
        #expect(keys("\u{1B}\u{1B}", "") == [.escape, .escape])
        #expect(keys("", "x") == [byte("x")])
        // What was cut off is forgotten.
        #expect(keys("\u{1B}[1", "", "x") == [byte("x")])
    }

    @Test func aSparklineOfAnyNumbers() {
        func text(_ values: Double...) -> String {
            var line = Sparkline(width: 4)
            for value in values { line.add(value) }
            return line.text
        }
        #expect(text() == "" && text(5) == "▁" && text(1, 1) == "▁▁")
        #expect(text(0, 1, 2, 8, 4) == "▁▂█▄")
        #expect(text(1e308, -1e308) == "▁▁")
    }
}
