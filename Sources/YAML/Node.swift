/// A position in a file, counted from 1; `column` counts characters (Unicode scalars), as libyaml does.
package struct Mark: Sendable, Equatable, Comparable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(line):\(column)" }

    package static func < (left: Mark, right: Mark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One value of a YAML file, with the place at which it stands. Aliases are already replaced by what they name.
package struct Node: Sendable {
    package enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        /// Members in the order of the file; no key occurs twice.
        case mapping([Member])
    }

    /// `key: value`. A key is always text.
    package struct Member: Sendable {
        package let name: String
        /// Where the key stands.
        package let mark: Mark
        package let value: Node
    }

    package let content: Content
    /// Where the value starts.
    package let mark: Mark
    /// The characters of the file that the value takes, its quotes included.
    let extent: Range<Int>

    package var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
}

/// A piece of text, and how it was written: only plain text can be a number, `true`, `false` or `null`.
package struct Scalar: Sendable {
    package enum Style: Sendable {
        case plain
        case singleQuoted
        case doubleQuoted
        /// `|`: line by line.
        case literal
        /// `>`: lines joined by spaces.
        case folded
    }

    package let text: String
    package let style: Style
    /// True where `!!str` asks for text whatever it looks like.
    let isTaggedText: Bool

    /// What the text stands for in YAML's core schema.
    package var value: CoreValue {
        style == .plain && !isTaggedText ? CoreValue(plain: text) : .text
    }
}
