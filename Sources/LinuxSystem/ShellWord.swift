/// One literal word for a POSIX shell: single-quoted, `'` as `'\''` (POSIX.1-2017, XCU 2.2.2).
///
/// Byte for byte: to Swift a quote and the combining mark behind it are one character, which is no quote; to a shell the
/// word would end there.
package func shellWord(_ text: String) -> String { String(decoding: shellWord(Array(text.utf8)), as: UTF8.self) }

/// The same for a name of raw bytes without NUL.
package func shellWord(_ bytes: [UInt8]) -> [UInt8] {
    var word = [UInt8(ascii: "'")]
    for byte in bytes {
        if byte == UInt8(ascii: "'") { word += Array(#"'\'"#.utf8) }
        word.append(byte)
    }
    return word + [UInt8(ascii: "'")]
}
