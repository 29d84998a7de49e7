import YAML

extension Template {
    /// A spot at which no value can stand safely.
    struct Refusal: Sendable, Equatable {
        let placeholder: Placeholder
        let reason: ShellLexer.Refusal
    }

    /// Text that a POSIX shell reads.
    /// - Returns: the template, and the placeholders that must not be substituted.
    static func shell(_ text: String, mark: Mark) -> (template: Template, refusals: [Refusal]) {
        var pieces = pieces(of: Array(text.utf8))
        var verdicts = ShellLexer.verdicts(for: pieces)[...]
        var refusals: [Refusal] = []
        for (index, piece) in pieces.enumerated() {
            guard case .placeholder(var placeholder) = piece, let verdict = verdicts.popFirst() else { continue }
            switch verdict {
            case .allowed(let quoting, let standsAlone, let interpreter):
                placeholder.quoting = quoting
                placeholder.standsAlone = standsAlone
                placeholder.interpreter = interpreter
                pieces[index] = .placeholder(placeholder)
            case .refused(let reason): refusals.append(Refusal(placeholder: placeholder, reason: reason))
            }
        }
        return (Template(text: text, mark: mark, pieces: pieces), refusals)
    }
}
