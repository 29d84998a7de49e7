import Testing

@testable import ECRCore

/// Output is recorded in pieces, and a character is never divided between two of them.
@Suite struct UTF8TailTests {
    private static let text = Array("aé€😀z".utf8)

    @Test(arguments: 0...UTF8TailTests.text.count) func anyCutKeepsCharactersWhole(_ cut: Int) {
        var piece = Array(Self.text[..<cut])
        let held = UTF8Tail.takeIncomplete(from: &piece)
        #expect(String(validating: piece, as: UTF8.self) != nil)
        #expect(String(validating: held + Self.text[cut...], as: UTF8.self) != nil)
        #expect(piece + held == Array(Self.text[..<cut]))
    }

    @Test(arguments: [[0xFF], [0x80], [0x80, 0x80, 0x80, 0x80], [0x61, 0xFE], [0xF8, 0x80]] as [[UInt8]])
    func bytesThatBeginNoCharacterAreNotHeld(_ bytes: [UInt8]) {
        var piece = bytes
        #expect(UTF8Tail.takeIncomplete(from: &piece) == [])
        #expect(piece == bytes)
    }
}
