/// A text as a cell of RFC 4180.
///
/// Byte for byte: to Swift a quote and the combining mark behind it are one character, which is no quote.
package enum CSVCell {
    /// In quotes where it needs them.
    package static func text(_ text: String) -> String {
        text.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 < 0x20 } ? quoted(text) : text
    }

    /// In quotes, each of its own twice.
    package static func quoted(_ text: String) -> String {
        let quote = UInt8(ascii: "\"")
        var bytes = [quote]
        for byte in text.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        return String(decoding: bytes + [quote], as: UTF8.self)
    }
}
