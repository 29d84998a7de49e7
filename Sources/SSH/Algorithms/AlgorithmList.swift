/// A choice of algorithms as people write it: names, separated by commas. The first may begin with `+` (behind the
/// defaults), `-` (without these) or `^` (in front of the defaults), and names may have `*` and `?`, as in
/// ssh_config(5). A prefix holds until the next one, so that `+a,-b` does both.
///
/// Resolved here, since libssh 0.10 takes complete lists only.
package struct AlgorithmList: Sendable {
    private let kind: AlgorithmKind
    private let entries: [(operation: Character, pattern: String)]
    private let startsWithDefaults: Bool

    package init(_ text: String, _ kind: AlgorithmKind) {
        self.kind = kind
        var operation: Character = "+"
        let words = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        startsWithDefaults = words.first.map { AlgorithmList.prefixes.contains($0.first!) } ?? true
        entries = words.map { word in
            guard let prefix = word.first, AlgorithmList.prefixes.contains(prefix) else { return (operation, word) }
            operation = prefix
            return (prefix, String(word.dropFirst()))
        }
    }

    private static let prefixes: Set<Character> = ["+", "-", "^"]

    /// The whole list for libssh, in the order of preference. What libssh does not know is left out.
    package var names: [String] {
        let known = kind.known
        var list = startsWithDefaults ? kind.defaults : []
        var head = 0
        for (operation, pattern) in entries {
            let matching = known.filter { WildcardPattern(pattern).matches($0) }
            switch operation {
            case "-": list.removeAll { WildcardPattern(pattern).matches($0) }
            case "^":
                let before = list[..<head].filter { !matching.contains($0) }
                list = before + matching + list[head...].filter { !matching.contains($0) }
                head = before.count + matching.count
            default: list += matching.filter { !list.contains($0) }
            }
        }
        return list
    }

    /// The names and patterns that stand for nothing that libssh knows.
    package var unknown: [String] {
        let known = kind.known
        return entries.map(\.pattern).filter { pattern in
            !known.contains { WildcardPattern(pattern).matches($0) }
        }
    }
}
