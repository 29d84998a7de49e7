/// One literal word for a POSIX shell: single-quoted, `'` as `'\''` (POSIX.1-2017, XCU 2.2.2).
package func shellWord(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
