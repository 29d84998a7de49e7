/// What a value is, told by its name in the usage line: `<run>` is a run wherever it stands. `<job|action>` is either,
/// `<job verdict reason>` is one after the other.
enum ValueKind: String, CaseIterable {
    case run
    case job
    case action
    case stage
    case collector
    case profile
    /// A profile or an address.
    case target
    case address = "user@host[:port]"
    case tag
    case note
    case verdict
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
    case time
    case seq
    case lines
    case number
    case remote
    case host = "host[:port]"
    case fingerprint
    case hash

    /// For each word that an argument takes what it may be; the last holds for all that follow.
    /// - Returns: nil for a name that is not in the list.
    static func kinds(of valueName: String) -> [[ValueKind?]] {
        valueName.split(separator: " ").map { word in
            word.split(separator: "|").map { ValueKind(rawValue: String($0)) }
        }
    }
}
