/// Text of a target, a profile or a note, made fit for a terminal: nothing in it moves the cursor, changes colours or
/// reorders what is read (CVE-2019-6110).
enum SafeText {
    /// On one line: line breaks are escaped, too.
    static func line(_ text: String) -> String { escaped(text, keep: ["\t"]) }

    /// Line breaks and tabs stay.
    static func lines(_ text: String) -> String { escaped(text, keep: ["\t", "\n"]) }

    /// A piece of a job's output. A carriage return, with which programs draw progress bars, becomes a line break.
    static func output(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        var scalars = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if !(scalar == "\n" && previous == "\r") { scalars.append(scalar == "\r" ? "\n" : scalar) }
            previous = scalar
        }
        return lines(String(scalars))
    }

    private static func escaped(_ text: String, keep: [Unicode.Scalar]) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) && !keep.contains($0) }) else { return text }
        return text.unicodeScalars.map { scalar in
            isControl(scalar) && !keep.contains(scalar)
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }

    /// C0, DEL, C1, line separators, and the controls of the bidirectional algorithm (UAX #9).
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
