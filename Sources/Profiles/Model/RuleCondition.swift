/// `collector.field op number` or `action.metric op number`, joined by `and` and `or`; `and` binds closer, and there are parentheses.
package struct RuleCondition: Sendable, Equatable {
    /// Whose numbers a condition looks at.
    package enum Owner: Sendable, Hashable {
        case collector(String)
        case action(String)

        package var name: String {
            switch self {
            case .collector(let name), .action(let name): name
            }
        }
    }

    /// A field of a collector's samples, or a metric of an action.
    package struct Field: Sendable, Hashable {
        package let owner: Owner
        package let name: String

        package init(_ owner: Owner, _ name: String) {
            self.owner = owner
            self.name = name
        }

        package var text: String { "\(owner.name).\(name)" }
    }

    package enum Operator: String, Sendable, CaseIterable {
        case notMore = "<="
        case notLess = ">="
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case more = ">"

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .notMore: left <= right
            case .notLess: left >= right
            case .equal: right.isNaN ? left.isNaN : left == right
            case .unequal: right.isNaN ? !left.isNaN : left != right
            case .less: left < right
            case .more: left > right
            }
        }

        /// What holds where this does not.
        var opposite: Operator {
            switch self {
            case .notMore: .more
            case .notLess: .less
            case .equal: .unequal
            case .unequal: .equal
            case .less: .notLess
            case .more: .notMore
            }
        }
    }

    package indirect enum Expression: Sendable, Equatable {
        case comparison(Field, Operator, Double)
        case all(Expression, Expression)
        case any(Expression, Expression)
    }

    /// As it was written.
    package let text: String
    package let expression: Expression

    package init(text: String, expression: Expression) {
        self.text = text
        self.expression = expression
    }

    /// In the order of the text.
    package var fields: [Field] { Self.comparisons(of: expression).map(\.field) }

    /// Whether it holds; nil where a number that decides is not known.
    package func holds(_ values: [Field: Double]) -> Bool? { Self.holds(expression, values) }

    /// The comparisons that have a value, each with it: `temperature.cpu 84 > 85`.
    /// - Parameter isNegated: shows what keeps the condition from holding: `temperature.cpu 84 >= 70` for `< 70`.
    package func shown(_ values: [Field: Double], isNegated: Bool) -> String {
        let parts = Self.comparisons(of: expression).compactMap { comparison -> String? in
            guard let value = values[comparison.field] else { return nil }
            guard comparison.operation.holds(value, comparison.number) != isNegated else { return nil }
            let operation = isNegated ? comparison.operation.opposite : comparison.operation
            return
                "\(comparison.field.text) \(Self.short(value)) \(operation.rawValue) \(Self.short(comparison.number))"
        }
        return parts.isEmpty ? text : parts.joined(separator: ", ")
    }

    private static func short(_ number: Double) -> String {
        number.magnitude < 1e15 && number == number.rounded() ? String(Int64(number)) : "\(number)"
    }

    private static func comparisons(
        of expression: Expression
    ) -> [(field: Field, operation: Operator, number: Double)] {
        switch expression {
        case .comparison(let field, let operation, let number): [(field, operation, number)]
        case .all(let left, let right), .any(let left, let right): comparisons(of: left) + comparisons(of: right)
        }
    }

    private static func holds(_ expression: Expression, _ values: [Field: Double]) -> Bool? {
        switch expression {
        case .comparison(let field, let operation, let number):
            return values[field].map { operation.holds($0, number) }
        case .all(let left, let right):
            let both = [holds(left, values), holds(right, values)]
            if both.contains(false) { return false }
            return both.contains(nil) ? nil : true
        case .any(let left, let right):
            let both = [holds(left, values), holds(right, values)]
            if both.contains(true) { return true }
            return both.contains(nil) ? nil : false
        }
    }
}
