/// The values that count for one action or collector, checked against their declarations.
package struct ParameterValues: Sendable {
    /// Declared parameters in the order of the profile, then the others in the order of their use.
    package private(set) var all: [(name: String, value: String)] = []

    package subscript(name: String) -> String? { all.first { $0.name == name }?.value }

    mutating func add(_ name: String, _ value: String) { all.append((name, value)) }
}

/// What is wrong with given parameters, all of it: one line a problem, lower case, with what to type.
package struct ParameterError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problems: [String]
    package var message: String { problems.joined(separator: "\n") }
    package var description: String { message }
}
