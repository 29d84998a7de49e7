import YAML

extension ParameterDeclaration {
    /// The objection to a value with what to do about it, unless it already asks whether another value was meant.
    func objection(to value: String, advice: String) -> String? {
        objection(to: value).map { $0.hasSuffix("?") ? $0 : "\($0); \(advice)" }
    }

    /// Why a value does not fit, such as `must be a whole number, not 'abc'`; nil where it fits.
    package func objection(to value: String) -> String? {
        if value.utf8.contains(0) { return "must not contain NUL" }
        if !allow.contains(.newline), value.utf8.contains(UInt8(ascii: "\n")) {
            return "must not contain a line break (its declaration may say 'allow: [newline]')"
        }
        return objectionByType(value) ?? objectionToChoice(value)
    }

    private func objectionByType(_ value: String) -> String? {
        switch type {
        case .int:
            guard DecimalForm(value) == .integer, let number = Int64(value) else {
                return "must be a whole number, not '\(value)'"
            }
            return objectionToRange(Double(number), spelled: value)
        case .float:
            guard DecimalForm(value) != nil, let number = Double(value), number.isFinite else {
                return "must be a number, not '\(value)'"
            }
            return objectionToRange(number, spelled: value)
        case .bool: return value == "true" || value == "false" ? nil : "must be true or false, not '\(value)'"
        case .path: return value.isEmpty ? "must not be an empty path" : objectionToDash([value])
        case .string: return objectionToDash([value])
        case .words: return objectionToDash(words(of: value))
        }
    }

    private func objectionToRange(_ number: Double, spelled value: String) -> String? {
        if let min, number < min { return "must be at least \(ParameterDeclaration.spelled(min)), not \(value)" }
        if let max, number > max { return "must be at most \(ParameterDeclaration.spelled(max)), not \(value)" }
        return nil
    }

    /// A leading `-` would be read as an option by most commands.
    private func objectionToDash(_ words: [String]) -> String? {
        guard !allow.contains(.leadingDash) else { return nil }
        return words.first { $0.utf8.first == UInt8(ascii: "-") }.map {
            "must not start with '-', as '\($0)' does (its declaration may say 'allow: [leading_dash]')"
        }
    }

    private func objectionToChoice(_ value: String) -> String? {
        guard let choices else { return nil }
        let words = type == .words ? words(of: value) : [value]
        // Bytes, because Swift takes different spellings of an accent for the same text.
        guard let wrong = words.first(where: { word in !choices.contains { $0.utf8.elementsEqual(word.utf8) } }) else {
            return nil
        }
        let hint = KnownNames(choices).closest(to: wrong).map { "; did you mean '\($0)'?" } ?? ""
        return "must be one of \(choices.joined(separator: ", ")), not '\(wrong)'\(hint)"
    }

    /// The words of a value of type `words`: divided by spaces, tabs and line breaks; quotes have no meaning.
    func words(of value: String) -> [String] {
        value.utf8.split { " \t\n".utf8.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A number without a needless `.0`.
    static func spelled(_ number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? "\(number)"
    }
}
