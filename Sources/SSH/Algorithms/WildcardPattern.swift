/// A pattern with `*` for any characters and `?` for one (ssh_config(5), "PATTERNS").
struct WildcardPattern {
    private let pattern: [UInt8]

    init(_ pattern: some StringProtocol) { self.pattern = Array(pattern.utf8) }

    /// Takes time in proportion to the product of both lengths, whatever the pattern: only the last `*` is ever taken
    /// back to.
    func matches(_ text: some StringProtocol) -> Bool {
        let text = Array(text.utf8)
        var (position, index) = (0, 0)
        var retry: (index: Int, position: Int)?
        while position < text.count {
            if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
                retry = (index, position)
                index += 1
            } else if index < pattern.count, pattern[index] == UInt8(ascii: "?") || pattern[index] == text[position] {
                index += 1
                position += 1
            } else if let last = retry {
                retry = (last.index, last.position + 1)
                index = last.index + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
