import JSON
import YAML

extension Profile {
    /// The profile as understood, as YAML that is read back as the same profile; what is empty is left out.
    package var text: String {
        guard case .object(let object) = resolved else { return "" }
        return object.members.filter { !$0.value.isEmpty }.map { key, value in
            ResolvedText.entry(key, value, margin: "")
        }.joined(separator: "\n") + "\n"
    }
}

extension JSON {
    fileprivate var isEmpty: Bool {
        switch self {
        case .null: true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.allSatisfy { $0.value.isEmpty }
        case .bool, .int, .double, .string: false
        }
    }
}

/// JSON as block YAML (YAML 1.2, chapter 8).
private enum ResolvedText {
    static func entry(_ key: String, _ value: JSON, margin: String) -> String {
        let head = margin + ScalarText.inline(key) + ":"
        switch value {
        case .object(let object):
            let members = object.members.filter { !$0.value.isEmpty }
            // A collector's or a parameter's name must stay, whatever stands behind it.
            if members.isEmpty { return head + " {}" }
            return ([head] + members.map { entry($0.key, $0.value, margin: margin + "  ") }).joined(separator: "\n")
        case .array(let elements):
            return ([head] + elements.map { element($0, margin: margin + "  ") }).joined(separator: "\n")
        default: return head + " " + scalar(value, margin: margin + "  ")
        }
    }

    private static func element(_ value: JSON, margin: String) -> String {
        guard case .object(let object) = value else { return margin + "- " + scalar(value, margin: margin + "  ") }
        let lines = object.members.filter { !$0.value.isEmpty }.map { entry($0.key, $0.value, margin: margin + "  ") }
        return margin + "- " + lines.joined(separator: "\n").dropFirst(margin.count + 2)
    }

    private static func scalar(_ value: JSON, margin: String) -> String {
        guard case .string(let text) = value else { return value.text }
        return ScalarText.block(text, margin: margin)
    }
}
