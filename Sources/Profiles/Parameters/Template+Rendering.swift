import LinuxSystem

/// Templates with values in the place of their placeholders.
///
/// All of them need a value for every placeholder, which `Profile.parameters(for:)` has made sure of.
extension Template {
    /// Shell text in which every value is one literal word, or several for a parameter of type `words`.
    ///
    /// In double quotes a value ends the quotes, stands in single quotes and opens them again: `"a "'value'" b"`.
    /// Escaping it within the double quotes would need to know every character that some shell treats there (`!` in
    /// bash); in single quotes nothing is special anywhere.
    func shellText(with values: ParameterValues, words: (String, String) -> [String]?) -> String {
        render { placeholder in
            let value = value(placeholder, in: values)
            let quoted = words(placeholder.name, value)?.map(shellWord).joined(separator: " ") ?? shellWord(value)
            return placeholder.quoting == .bare ? quoted : "\"\(quoted)\""
        }
    }

    /// Text that no shell reads, such as a working directory, an upload or the value of an environment variable.
    package func plainText(with values: ParameterValues) -> String {
        render { value($0, in: values) }
    }

    /// A glob pattern in which the values match themselves: their `*`, `?`, `[` and `\` have a backslash before them.
    package func globPattern(with values: ParameterValues) -> String {
        render { placeholder in
            var escaped: [UInt8] = []
            for byte in value(placeholder, in: values).utf8 {
                if "*?[\\".utf8.contains(byte) { escaped.append(UInt8(ascii: "\\")) }
                escaped.append(byte)
            }
            return String(decoding: escaped, as: UTF8.self)
        }
    }

    private func render(_ text: (Placeholder) -> String) -> String {
        var bytes: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let literal): bytes += literal
            case .placeholder(let placeholder): bytes += text(placeholder).utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func value(_ placeholder: Placeholder, in values: ParameterValues) -> String {
        guard let value = values[placeholder.name] else {
            preconditionFailure("no value for {\(placeholder.name)}: the parameters of another action")
        }
        return value
    }
}
