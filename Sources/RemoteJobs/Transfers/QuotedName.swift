/// A name as `find` complains of it: from GNU between single quotes, with the escapes of C (in the C locale), from BusyBox
/// as it is.
enum QuotedName {
    private static let backslash = UInt8(ascii: "\\")
    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10, UInt8(ascii: "v"): 11,
        UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13,
    ]

    static func bytes(_ text: Substring) -> [UInt8] {
        guard text.utf8.count > 1, text.first == "'", text.last == "'" else { return Array(text.utf8) }
        var name: [UInt8] = []
        var rest = text.utf8.dropFirst().dropLast()[...]
        while let byte = rest.popFirst() {
            guard byte == backslash, let next = rest.first else {
                name.append(byte)
                continue
            }
            let digits = rest.prefix(3)
            if digits.count == 3, let value = UInt8(String(Substring(digits)), radix: 8) {
                name.append(value)
                rest = rest.dropFirst(3)
            } else {
                name.append(escapes[next] ?? next)
                rest = rest.dropFirst()
            }
        }
        return name
    }
}
