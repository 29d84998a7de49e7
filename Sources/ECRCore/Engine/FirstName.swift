/// The first of some names and how many there are, in the same memory however many that is.
struct FirstName: Sendable {
    private var first: String?
    private var count = 0

    mutating func add(_ name: String) {
        first = first ?? name
        count += 1
    }

    static func += (names: inout FirstName, more: FirstName) {
        names.first = names.first ?? more.first
        names.count += more.count
    }

    /// nil where there is none.
    /// - Parameters:
    ///   - what: is said of each.
    ///   - kind: of the others, if there are any.
    func warning(_ what: String, others kind: (one: String, more: String) = (one: "file", more: "files")) -> String? {
        guard let first else { return nil }
        let others = count - 1
        let rest = others > 0 ? ", and so for \(others) other \(others == 1 ? kind.one : kind.more)" : ""
        return "\(first) \(what)\(rest)"
    }
}
