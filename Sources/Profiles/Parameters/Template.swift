package import YAML

/// Text of a profile with placeholders, taken apart when the profile is loaded.
///
/// `{name}` with a name of `[A-Za-z_][A-Za-z0-9_]*` is a placeholder; `{{name}}` is the literal `{name}`; everything
/// else, `${VAR}` and `{print $1}` included, is untouched. All work is done on bytes: for Swift's characters, a brace
/// followed by a combining accent would be no brace.
package struct Template: Sendable {
    /// The text as written.
    package let text: String
    /// Where the value starts in the profile.
    package let mark: Mark
    let pieces: [Piece]

    enum Piece: Sendable, Equatable {
        case literal([UInt8])
        case placeholder(Placeholder)
    }

    struct Placeholder: Sendable, Equatable {
        let name: String
        /// Where its brace stands in `text`, in bytes.
        let offset: Int
        /// How a shell reads the spot; set for commands only.
        var quoting = Quoting.bare
        /// True where it is a whole word and no target of a redirection, so that several words may take its place.
        var standsAlone = false
        /// The command that would interpret the value again, such as `sh -c`.
        var interpreter: String?
    }

    enum Quoting: Sendable { case bare, doubleQuoted }

    /// The parameters whose values the text takes, each once, in order.
    package var parameterNames: [String] {
        placeholders.map(\.name).reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    /// The placeholders without those that say nothing new: same name, same kind of spot.
    var firstPlaceholders: [Placeholder] {
        var seen: Set<String> = []
        return placeholders.filter {
            seen.insert("\($0.name) \($0.quoting) \($0.standsAlone) \($0.interpreter ?? "")").inserted
        }
    }

    var placeholders: [Placeholder] {
        pieces.compactMap { if case .placeholder(let placeholder) = $0 { placeholder } else { nil } }
    }

    /// The `<NAME>` of every `ECR_PARAM_<NAME>` that the text mentions.
    var environmentMentions: [String] {
        let prefix = Array("ECR_PARAM_".utf8)
        let bytes = Array(text.utf8)
        var names: [String] = []
        var index = 0
        while index + prefix.count <= bytes.count {
            guard bytes[index..<index + prefix.count].elementsEqual(prefix) else {
                index += 1
                continue
            }
            index += prefix.count
            let name = bytes[index...].prefix { isNameByte($0, first: false) }
            if !name.isEmpty { names.append(String(decoding: name, as: UTF8.self)) }
        }
        return names
    }
}

extension Template {
    /// Text without placeholders: braces are braces.
    init(literal text: String, mark: Mark) {
        self.init(text: text, mark: mark, pieces: [.literal(Array(text.utf8))])
    }

    /// Text that no shell reads: paths and the values of environment variables.
    init(plain text: String, mark: Mark) {
        self.init(text: text, mark: mark, pieces: Template.pieces(of: Array(text.utf8)))
    }

    static func pieces(of text: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var index = 0
        while index < text.count {
            if let name = escapedName(in: text, at: index) {
                literal += "{\(name)}".utf8
                index += name.utf8.count + 4
            } else if let name = placeholderName(in: text, at: index) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = []
                pieces.append(.placeholder(Placeholder(name: name, offset: index)))
                index += name.utf8.count + 2
            } else {
                literal.append(text[index])
                index += 1
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    /// The name in `{{name}}`, unless a `$` stands before it.
    private static func escapedName(in text: [UInt8], at index: Int) -> String? {
        guard text[index] == UInt8(ascii: "{"), !followsDollar(text, index),
            let name = bracedName(in: text, at: index + 1)
        else { return nil }
        let end = index + name.utf8.count + 3
        return end < text.count && text[end] == UInt8(ascii: "}") ? name : nil
    }

    private static func placeholderName(in text: [UInt8], at index: Int) -> String? {
        followsDollar(text, index) ? nil : bracedName(in: text, at: index)
    }

    private static func bracedName(in text: [UInt8], at index: Int) -> String? {
        guard index < text.count, text[index] == UInt8(ascii: "{") else { return nil }
        var end = index + 1
        while end < text.count, isNameByte(text[end], first: end == index + 1) { end += 1 }
        guard end > index + 1, end < text.count, text[end] == UInt8(ascii: "}") else { return nil }
        return String(decoding: text[index + 1..<end], as: UTF8.self)
    }

    /// True where the brace belongs to a `${…}`. Two dollars are the shell's process id, and no part of what follows.
    private static func followsDollar(_ text: [UInt8], _ index: Int) -> Bool {
        text[..<index].reversed().prefix { $0 == UInt8(ascii: "$") }.count % 2 == 1
    }
}

/// A byte of `[A-Za-z_][A-Za-z0-9_]*`.
func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
    default: false
    }
}
