/// What a value is, told by its name in the usage line: `<run>` is a run wherever it stands. A name with `|` is any of
/// several.
enum ValueKind: String, CaseIterable {
    case run
    case job
    case action
    case stage
    case collector
    case profile
    case tag
    case parameter = "name=value"
    case eventType = "type"
    case topic
    case file
    case directory = "dir"
    // What nobody but the person at the keyboard knows.
    case name
    case text
    case reason
    case command
    case host = "host[:port]"

    /// - Parameter valueName: of an argument, such as `job|action`.
    /// - Returns: nil for a name that is not in the list.
    static func kinds(of valueName: String) -> [ValueKind?] {
        valueName.split(separator: "|").map { ValueKind(rawValue: String($0)) }
    }
}
