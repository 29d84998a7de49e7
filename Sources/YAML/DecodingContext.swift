/// Collects what is wrong in a document while values are read out of it; nothing is thrown before `finish`.
///
/// Belongs to the one thread that decodes the file. Every accessor returns nil after reporting why.
package final class DecodingContext {
    package let source: SourceText
    private var diagnostics: [Diagnostic]

    /// Starts with the problems that the parser found.
    package init(_ document: Document) {
        source = document.source
        diagnostics = document.problems
    }

    package func error(_ message: String, at mark: Mark) { report(.error, message, at: mark) }

    package func warning(_ message: String, at mark: Mark) { report(.warning, message, at: mark) }

    package func report(_ severity: Diagnostic.Severity, _ message: String, at mark: Mark) {
        diagnostics.append(Diagnostic(severity, message, at: mark, in: source))
    }

    /// Ends the decoding.
    /// - Returns: the warnings, in the order of the file.
    /// - Throws: errors and warnings together, if there is an error.
    package func finish() throws(Diagnostics) -> [Diagnostic] {
        let sorted = Diagnostics(diagnostics)
        if sorted.all.contains(where: { $0.severity == .error }) { throw sorted }
        return sorted.all
    }

    // MARK: Typed values. `what` names the value in messages, quotes included: `'port'`.

    /// Text as it was written; `22` and `true` are taken verbatim, an empty value or `null` is not.
    package func string(_ node: Node, _ what: String) -> String? {
        guard let scalar = node.scalar, scalar.value != .null else {
            return wrongType(node, what, expected: "text", write: "it in quotes, such as \"abc\"")
        }
        return scalar.text
    }

    package func int(_ node: Node, _ what: String) -> Int? {
        if case .int(let value)? = node.scalar?.value { return value }
        return wrongType(node, what, expected: "a whole number", write: "digits without quotes, such as 8")
    }

    /// A finite number, whole or not.
    package func number(_ node: Node, _ what: String) -> Double? {
        switch node.scalar?.value {
        case .int(let value): return Double(value)
        case .float(let value) where value.isFinite: return value
        default: return wrongType(node, what, expected: "a number", write: "digits without quotes, such as 0.5")
        }
    }

    package func bool(_ node: Node, _ what: String) -> Bool? {
        if case .bool(let value)? = node.scalar?.value { return value }
        return wrongType(node, what, expected: "true or false", write: "true or false without quotes")
    }

    /// Seconds, from a number of seconds or `500ms`, `60s`, `5m`, `2h`; never negative.
    package func duration(_ node: Node, _ what: String) -> Double? {
        switch node.scalar?.value {
        case .int(let value) where value >= 0: return Double(value)
        case .float(let value) where value.isFinite && value >= 0: return value
        case .text:
            if let seconds = node.scalar.flatMap({ DurationSpelling.seconds($0.text) }) { return seconds }
        default: break
        }
        return wrongType(node, what, expected: "a duration", write: "a number of seconds, or 500ms, 60s, 5m, 2h")
    }

    /// Bytes, from a number of bytes or `500MB`, `2GiB`; never negative.
    package func size(_ node: Node, _ what: String) -> Int? {
        switch node.scalar?.value {
        case .int(let value) where value >= 0: return value
        case .text:
            if let bytes = node.scalar.flatMap({ SizeSpelling.bytes($0.text) }) { return bytes }
        default: break
        }
        return wrongType(node, what, expected: "a size", write: "a number of bytes, or 500MB, 2GB, 1GiB")
    }

    /// One of a few words.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: Node, _ what: String, of: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        let words = KnownNames(Choice.allCases.map(\.rawValue))
        let all = words.names.joined(separator: ", ")
        guard let text = node.scalar?.text, node.scalar?.value != .null else {
            return wrongType(node, what, expected: "one of \(all)", write: "one of them")
        }
        if let choice = Choice(rawValue: text) { return choice }
        let hint = words.closest(to: text).map { "; did you mean '\($0)'?" } ?? ""
        error("\(what) must be one of \(all), not '\(text)'\(hint)", at: node.mark)
        return nil
    }

    package func list(_ node: Node, _ what: String) -> [Node]? {
        if case .sequence(let items) = node.content { return items }
        return wrongType(node, what, expected: "a list", write: "[a, b], or one '- a' a line")
    }

    /// A list of texts; entries that are none are reported and left out.
    package func strings(_ node: Node, _ what: String) -> [String]? {
        list(node, what)?.compactMap { string($0, "each entry of \(what)") }
    }

    /// A mapping whose keys the user chooses.
    package func entries(_ node: Node, _ what: String) -> [Node.Member]? {
        if case .mapping(let members) = node.content { return members }
        return wrongType(node, what, expected: "a mapping", write: "'name: value', one a line")
    }

    /// A mapping with known keys; the others are reported.
    /// - Parameter advice: what to say about keys that are tempting but impossible.
    package func fields(
        _ node: Node, _ what: String, keys: [String], advice: [String: String] = [:]
    ) -> FieldReader? {
        guard let members = entries(node, what) else { return nil }
        let known = KnownNames(keys)
        for member in members where !keys.contains(member.name) {
            let hint = advice[member.name] ?? known.hint(for: member.name, label: "known keys") ?? "remove it"
            error("unknown key '\(member.name)' in \(what); \(hint)", at: member.mark)
        }
        return FieldReader(context: self, members: members, what: what, mark: node.mark)
    }

    /// Reports a value of the wrong kind.
    package func wrongType<Value>(_ node: Node, _ what: String, expected: String, write: String) -> Value? {
        error("\(what) must be \(expected), not \(DecodingContext.kind(of: node)); write \(write)", at: node.mark)
        return nil
    }

    private static func kind(of node: Node) -> String {
        switch node.content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            switch scalar.value {
            case .null: return scalar.text.isEmpty ? "empty" : "null"
            case .bool: return "\(scalar.text)"
            case .int, .float: return "the number \(scalar.text)"
            case .text: return "the text '\(abbreviated(scalar.text))'"
            }
        }
    }

    private static func abbreviated(_ text: String) -> String {
        text.count <= 40 ? text : text.prefix(40) + "…"
    }
}

/// Reads the values of one mapping by key. A missing key gives nil; `require` reports it.
package struct FieldReader {
    package let context: DecodingContext
    let members: [Node.Member]
    /// The mapping's name in messages.
    package let what: String
    /// Where the mapping starts.
    package let mark: Mark

    package subscript(key: String) -> Node? { member(key)?.value }

    package func member(_ key: String) -> Node.Member? { members.first { $0.name == key } }

    /// - Parameter example: what to write, such as `name: my-device`.
    package func require(_ key: String, example: String) -> Node? {
        if let node = self[key] { return node }
        context.error("\(what) has no '\(key)'; write '\(example)'", at: mark)
        return nil
    }

    package func string(_ key: String) -> String? { self[key].flatMap { context.string($0, "'\(key)'") } }
    package func strings(_ key: String) -> [String]? { self[key].flatMap { context.strings($0, "'\(key)'") } }
    package func int(_ key: String) -> Int? { self[key].flatMap { context.int($0, "'\(key)'") } }
    package func number(_ key: String) -> Double? { self[key].flatMap { context.number($0, "'\(key)'") } }
    package func bool(_ key: String) -> Bool? { self[key].flatMap { context.bool($0, "'\(key)'") } }
    package func list(_ key: String) -> [Node]? { self[key].flatMap { context.list($0, "'\(key)'") } }
    package func entries(_ key: String) -> [Node.Member]? { self[key].flatMap { context.entries($0, "'\(key)'") } }

    package func duration(_ key: String) -> Double? { self[key].flatMap { context.duration($0, "'\(key)'") } }
    package func size(_ key: String) -> Int? { self[key].flatMap { context.size($0, "'\(key)'") } }

    /// A duration that must not be zero.
    package func positiveDuration(_ key: String) -> Double? {
        guard let node = self[key], let seconds = context.duration(node, "'\(key)'") else { return nil }
        guard seconds > 0 else {
            context.error("'\(key)' must be longer than 0; write a duration, such as 60s", at: node.mark)
            return nil
        }
        return seconds
    }

    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        self[key].flatMap { context.choice($0, "'\(key)'", of: type) }
    }
}
