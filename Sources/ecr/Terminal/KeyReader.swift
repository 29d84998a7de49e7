/// Keys out of the bytes that a terminal sends. What an arrow or a function key sends begins with Esc (ECMA-48) and is one
/// key, not an Esc and some letters.
struct KeyReader {
    enum Key: Equatable {
        case byte(UInt8)
        case escape
        case up
        case down
        /// One that means nothing to us.
        case other
    }

    private enum State { case plain, escaped, sequence }

    private var state = State.plain

    mutating func take(_ bytes: [UInt8]) -> [Key] { bytes.flatMap { take($0) } }

    /// Nothing has followed for a while: an Esc was one.
    mutating func pause() -> [Key] {
        defer { state = .plain }
        if case .escaped = state { return [.escape] }
        return []
    }

    private mutating func take(_ byte: UInt8) -> [Key] {
        switch (state, byte) {
        case (.plain, 0x1B):
            state = .escaped
            return []
        case (.plain, _): return [.byte(byte)]
        case (.escaped, 0x1B): return [.escape]
        case (.escaped, UInt8(ascii: "[")), (.escaped, UInt8(ascii: "O")):
            state = .sequence
            return []
        case (.escaped, _):
            state = .plain
            return [.escape, .byte(byte)]
        // Parameters and intermediate bytes; the final one says what it is.
        case (.sequence, 0x20...0x3F): return []
        case (.sequence, _):
            state = .plain
            return [byte == UInt8(ascii: "A") ? .up : byte == UInt8(ascii: "B") ? .down : .other]
        }
    }
}
