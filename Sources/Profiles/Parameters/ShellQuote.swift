/// One literal word for every POSIX shell: the text in single quotes, in which nothing is special but their end.
///
/// A single quote becomes `'\''`: quotes closed, an escaped quote, quotes opened again.
/// - Precondition: no NUL, which no shell can carry in an argument.
package func shellQuote(_ text: String) -> String {
    precondition(!text.utf8.contains(0), "a shell word cannot hold NUL")
    var quoted: [UInt8] = [UInt8(ascii: "'")]
    for byte in text.utf8 {
        if byte == UInt8(ascii: "'") { quoted.append(contentsOf: "'\\''".utf8) } else { quoted.append(byte) }
    }
    quoted.append(UInt8(ascii: "'"))
    return String(decoding: quoted, as: UTF8.self)
}
