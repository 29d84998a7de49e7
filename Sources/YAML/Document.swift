/// A YAML file as a tree of nodes, read with limits that make a hostile file harmless.
///
/// Refused at once: more than `maximumBytes`, text that is not UTF-8, control characters, nesting beyond `maximumDepth`,
/// aliases that would unfold to more than `maximumNodes`, no document or several, and broken syntax. Duplicate keys,
/// keys that are not text and tags are collected in `problems`, so that they are reported with everything else that is
/// wrong in the file.
package struct Document: Sendable {
    /// A profile of this size has thousands of lines; the quadratic corners of libyaml stay below a second.
    package static let maximumBytes = 256 * 1024
    /// libyaml 0.2.5 is quadratic in nested `[`: 64 KiB of them take seconds without this.
    package static let maximumDepth = 64
    /// Nodes that a tree may have once aliases are followed; 256 KiB hold about that many lines.
    package static let maximumNodes = 10_000

    package let root: Node
    package let source: SourceText
    /// What is wrong although the tree could be built.
    package let problems: [Diagnostic]

    /// - Parameter file: the name that messages show.
    /// - Throws: `Diagnostics` for what leaves no tree to look at.
    package init(parsing bytes: [UInt8], file: String) throws(Diagnostics) {
        let source = try Document.text(of: bytes, file: file)
        let text = Array(String(String.UnicodeScalarView(source.characters)).utf8)
        let builder = try text.withUnsafeBufferPointer { buffer throws(Diagnostics) in
            var builder = TreeBuilder(source: source)
            try builder.run(buffer)
            return builder
        }
        guard let root = builder.root else {
            throw Diagnostics([Diagnostic(file: file, message: "the file is empty; write at least one key")])
        }
        self.root = root
        self.source = source
        problems = builder.problems
    }

    /// The bytes as text without a byte order mark, refused where libyaml would stop without saying where.
    private static func text(of bytes: [UInt8], file: String) throws(Diagnostics) -> SourceText {
        func refusal(_ message: String) -> Diagnostics { Diagnostics([Diagnostic(file: file, message: message)]) }
        guard bytes.count <= maximumBytes else {
            throw refusal("the file has \(bytes.count) bytes; the limit is \(maximumBytes)")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw refusal("the file is not UTF-8 text; save it as UTF-8")
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let source = SourceText(file: file, text: text)
        if let index = source.characters.firstIndex(where: { !isPrintable($0) }) {
            let code = String(source.characters[index].value, radix: 16, uppercase: true)
            let message = "the character U+\(code) is not allowed in YAML; write it as an escape in double quotes"
            throw Diagnostics([Diagnostic(.error, message, at: source.mark(at: index), in: source)])
        }
        return source
    }

    /// The characters that YAML 1.1 allows in a file (section 5.1, `c-printable`).
    private static func isPrintable(_ character: Unicode.Scalar) -> Bool {
        switch character.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
            0x10000...0x10FFFF:
            true
        default: false
        }
    }
}
