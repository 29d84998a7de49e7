import Profiles
import YAML

/// A profile from its text.
func parse(_ text: String) throws(Diagnostics) -> Profile {
    try Profile.parse(Array(text.utf8), file: "p.yaml")
}

/// `line:column: severity: message` of everything that a text is refused with, or warned of.
func complaints(_ text: String) -> [String] {
    let all: [Diagnostic]
    do { all = try parse(text).warnings } catch { all = error.all }
    return all.map { "\($0.line):\($0.column): \($0.severity.rawValue): \($0.message)" }
}

/// A profile with one action `a` that has one command, written as a literal block, and what else it needs.
func profile(command: String, parameters: String = "{}") -> String {
    let lines = command.split(separator: "\n", omittingEmptySubsequences: false).map { "          " + $0 }
    return """
        name: n
        connection: {host: h}
        parameters: \(parameters)
        actions:
          a:
            commands:
              - |-
        \(lines.joined(separator: "\n"))
        """
}
