/// What SSH knows about words in `connection:`; this room cannot see it. Each rule says what is wrong with a text and what
/// to write instead, or nil. By default nothing is wrong.
package struct ConnectionRules: Sendable {
    /// An entry below `algorithms:`, by its key.
    package var algorithms: @Sendable (_ key: String, _ text: String) -> String?
    /// One host of `jump:`.
    package var jump: @Sendable (_ text: String) -> String?

    package init(
        algorithms: @escaping @Sendable (_ key: String, _ text: String) -> String? = { _, _ in nil },
        jump: @escaping @Sendable (_ text: String) -> String? = { _ in nil }
    ) {
        self.algorithms = algorithms
        self.jump = jump
    }
}
