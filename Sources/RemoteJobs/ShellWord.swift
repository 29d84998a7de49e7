/// One literal word for a POSIX shell: single-quoted, `'` as `'\''` (POSIX.1-2017, XCU 2.2.2).
package func shellWord(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// The same for a name of raw bytes without NUL.
package func shellWord(_ bytes: [UInt8]) -> [UInt8] {
    var word = [UInt8(ascii: "'")]
    for byte in bytes {
        if byte == UInt8(ascii: "'") { word += Array(#"'\'"#.utf8) }
        word.append(byte)
    }
    return word + [UInt8(ascii: "'")]
}
