/// The names that are possible at a place, and what to say about one that is not among them.
package struct KnownNames: Sendable {
    package let names: [String]

    package init(_ names: [String]) { self.names = names }

    /// `did you mean 'timeout'?`, or else all the names, or nothing where there are none.
    /// - Parameter label: what the names are, such as `known keys`.
    package func hint(for name: String, label: String) -> String? {
        if let near = closest(to: name) { return "did you mean '\(near)'?" }
        return names.isEmpty ? nil : "\(label): \(names.joined(separator: ", "))"
    }

    /// The name that differs by the fewest typing errors, if by no more than a third of its letters.
    package func closest(to name: String) -> String? {
        let measured = names.map { (name: $0, distance: KnownNames.distance($0, name)) }
        guard let best = measured.min(by: { $0.distance < $1.distance }) else { return nil }
        let length = best.name.utf8.count
        return best.distance <= (length < 2 ? 0 : max(1, length / 3)) ? best.name : nil
    }

    /// Typing errors between two names: a letter added, left out, replaced, or two neighbours swapped, without regard
    /// to case (optimal string alignment).
    private static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.lowercased().utf8)
        let b = Array(right.lowercased().utf8.prefix(100))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
