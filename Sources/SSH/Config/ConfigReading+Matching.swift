extension ConfigReading {
    /// A `Host` line: one pattern must match, and none that begins with `!`.
    func matchesHost(_ patterns: [String]) throws(SSHError) -> Bool {
        // In the second pass the name that HostName gave counts.
        let host = isFinalPass ? try currentHost() : original
        guard !patterns.isEmpty, !patterns.contains("") else { throw problem("a pattern is missing") }
        var isMatching = false
        for pattern in patterns {
            let isNegated = pattern.hasPrefix("!")
            guard WildcardPattern(isNegated ? pattern.dropFirst() : pattern[...]).matches(host) else { continue }
            if isNegated { return false }
            isMatching = true
        }
        return isMatching
    }

    /// A `Match` line: all its criteria must hold. One that is not carried out does not hold.
    mutating func matches(_ text: String) throws(SSHError) -> Bool {
        var rest = text[...]
        var isMatching = true
        var count = 0
        while let word = ConfigLine.delimitedWord(&rest), !word.isEmpty, !word.hasPrefix("#") {
            let isNegated = word.hasPrefix("!")
            let criterion = (isNegated ? String(word.dropFirst()) : word).lowercased()
            if criterion == "all" {
                if count > 1 || !rest.isEmpty && !rest.hasPrefix("#") {
                    throw problem("'all' cannot stand with other criteria")
                }
                return isMatching && !isNegated
            }
            count += 1
            if criterion == "final" || criterion == "canonical" {
                if criterion == "final" { wantsFinalPass = true }
                if isFinalPass == isNegated { isMatching = false }
                continue
            }
            guard let argument = ConfigLine.delimitedWord(&rest), !argument.isEmpty, !argument.hasPrefix("#") else {
                throw problem("'\(word)' needs an argument")
            }
            switch try holds(criterion, argument) {
            case let holds?: if holds == isNegated { isMatching = false }
            case nil:
                if isMatching { ignore("Match \(text)", matters: true) }
                isMatching = false
            }
        }
        guard count > 0 else { throw problem("'Match' needs a criterion, such as 'host board' or 'all'") }
        return isMatching
    }

    /// Whether a criterion holds; nil for one that is not carried out: `exec`, `localnetwork`, and whatever comes.
    private func holds(_ criterion: String, _ argument: String) throws(SSHError) -> Bool? {
        switch criterion {
        case "host": Self.isListed(try currentHost().lowercased(), argument.lowercased())
        case "originalhost": Self.isListed(original.lowercased(), argument.lowercased())
        case "user": Self.isListed(currentUser, argument)
        case "localuser": Self.isListed(context.localUser, argument)
        default: nil
        }
    }

    /// Whether a list of patterns with commas has one that matches, and none with `!` that does.
    private static func isListed(_ text: String, _ list: String) -> Bool {
        var isListed = false
        for pattern in list.split(separator: ",") {
            let isNegated = pattern.hasPrefix("!")
            guard WildcardPattern(isNegated ? pattern.dropFirst() : pattern).matches(text) else { continue }
            if isNegated { return false }
            isListed = true
        }
        return isListed
    }
}
