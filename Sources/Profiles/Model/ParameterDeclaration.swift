/// What a profile says about one parameter. A parameter without a declaration is any text, and required.
package struct ParameterDeclaration: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case string, int, float, bool, path
        /// Several words, divided by blanks; each becomes an argument of its own.
        case words
    }

    /// What is refused in values unless the declaration allows it.
    package enum Allowance: String, Sendable, CaseIterable {
        case newline
        case leadingDash = "leading_dash"
    }

    package var name: String
    package var type = Kind.string
    package var defaultValue: String?
    package var choices: [String]?
    package var min: Double?
    package var max: Double?
    package var allow: [Allowance] = []
    package var description: String?

    /// The name of the variable that carries the value on the target.
    package var environmentName: String { ParameterDeclaration.environmentName(of: name) }

    static func environmentName(of name: String) -> String { "ECR_PARAM_" + name.uppercased() }
}
