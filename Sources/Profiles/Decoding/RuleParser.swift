/// Reads a rule's condition. One level of recursion for a parenthesis, of which there are at most a few.
struct RuleParser {
    /// What is wrong, and the byte of the text at which it is.
    struct Problem: Error, Equatable {
        let message: String
        let offset: Int
    }

    private struct Token {
        let text: String
        let offset: Int
    }

    /// Finds the field that a text such as `temperature.cpu` names; throws what is wrong with it.
    private let resolve: (String) throws(Unknown) -> RuleCondition.Field

    /// A field that does not exist: why.
    struct Unknown: Error { let message: String }

    private let text: String
    private var tokens: [Token]
    private var depth = 0

    /// Origin: nobody nests deeper, and each level takes a piece of the stack.
    private static let deepest = 16

    init(_ text: String, resolve: @escaping (String) throws(Unknown) -> RuleCondition.Field) {
        self.text = text
        self.resolve = resolve
        tokens = Self.tokens(of: text)
    }

    mutating func condition() throws(Problem) -> RuleCondition {
        let expression = try any()
        if let rest = tokens.first {
            throw Problem(
                message: "'\(rest.text)' is not expected here; write 'and' or 'or' between two", offset: rest.offset)
        }
        return RuleCondition(text: text, expression: expression)
    }

    private mutating func any() throws(Problem) -> RuleCondition.Expression {
        var expression = try all()
        while take("or", "||") { expression = .any(expression, try all()) }
        return expression
    }

    private mutating func all() throws(Problem) -> RuleCondition.Expression {
        var expression = try comparison()
        while take("and", "&&") { expression = .all(expression, try comparison()) }
        return expression
    }

    private mutating func comparison() throws(Problem) -> RuleCondition.Expression {
        let place = tokens.first?.offset ?? text.utf8.count
        if take("(") {
            depth += 1
            guard depth <= Self.deepest else { throw Problem(message: "there are too many parentheses", offset: place) }
            let expression = try any()
            depth -= 1
            guard take(")") else {
                throw Problem(message: "a ')' is missing", offset: tokens.first?.offset ?? text.utf8.count)
            }
            return expression
        }
        guard let name = next(), name.text.utf8.first.map({ !Self.isSign($0) }) == true, name.text.contains(".") else {
            throw Problem(message: "a field is missing; write it as COLLECTOR.FIELD or ACTION.METRIC", offset: place)
        }
        let field: RuleCondition.Field
        do { field = try resolve(name.text) } catch { throw Problem(message: error.message, offset: name.offset) }
        let sign = tokens.first
        guard let sign, let operation = RuleCondition.Operator(rawValue: sign.text) else {
            let operators = "<, <=, >, >=, == or !="
            throw Problem(
                message: sign.map { "'\($0.text)' is no comparison; write \(operators)" }
                    ?? "a comparison is missing; write \(operators) and a number",
                offset: sign?.offset ?? text.utf8.count)
        }
        tokens.removeFirst()
        let isEquality = operation == .equal || operation == .unequal
        guard let number = tokens.first, let value = Double(number.text), value.isFinite || value.isNaN && isEquality
        else {
            throw Problem(
                message: tokens.first.map { "'\($0.text)' is no number" } ?? "a number is missing",
                offset: tokens.first?.offset ?? text.utf8.count)
        }
        tokens.removeFirst()
        return .comparison(field, operation, value)
    }

    private mutating func next() -> Token? { tokens.isEmpty ? nil : tokens.removeFirst() }

    private mutating func take(_ words: String...) -> Bool {
        guard let token = tokens.first, words.contains(token.text) else { return false }
        tokens.removeFirst()
        return true
    }

    // MARK: Words

    private static func isSign(_ byte: UInt8) -> Bool { "<>=!&|()".utf8.contains(byte) }

    private static func tokens(of text: String) -> [Token] {
        let bytes = Array(text.utf8)
        var tokens: [Token] = []
        var place = 0
        while place < bytes.count {
            if [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) {
                place += 1
                continue
            }
            let start = place
            if "()".utf8.contains(bytes[place]) {
                place += 1
            } else if isSign(bytes[place]) {
                while place < bytes.count, isSign(bytes[place]), !"()".utf8.contains(bytes[place]) { place += 1 }
            } else {
                while place < bytes.count, !isSign(bytes[place]), bytes[place] > 0x20 { place += 1 }
            }
            tokens.append(Token(text: String(decoding: bytes[start..<place], as: UTF8.self), offset: start))
        }
        return tokens
    }
}
