import JSON
import Profiles
import Testing

/// The tables that `ecr help profile` prints. The decoder takes its keys from them, so only the rest can drift.
@Suite struct ReferenceTests {
    /// Everything that has a default, and nothing that overrides one.
    private static let bare = """
        name: n
        connection: {host: h, reconnect: {}}
        parameters: {p: }
        actions:
          a:
            commands: ["echo {p}"]
            artifacts: [{path: /tmp/x}]
            metrics: {m: {regex: '([0-9]+)'}}
            retries: 0
        background_collectors:
          c: {command: "true", interval: 1}
        """

    @Test func everySectionAndKeyIsExplained() {
        for section in ProfileSection.all {
            #expect(Set(section.keys.map(\.name)).count == section.keys.count, "\(section.path)")
            for key in section.keys {
                #expect(!key.type.isEmpty && !key.meaning.isEmpty, "\(section.path) \(key.name)")
            }
        }
        #expect(Set(ProfileSection.all.map(\.path)).count == ProfileSection.all.count)
    }

    @Test func defaultsAreThoseOfTheProfile() throws {
        let profile = try parse(Self.bare).resolved
        let places: [(path: String, value: JSON?)] = [
            ("connection", profile["connection"]),
            ("connection.reconnect", profile["connection"]?["reconnect"]),
            ("parameters.NAME", profile["parameters"]?["p"]),
            ("actions.NAME", profile["actions"]?["a"]),
            ("actions.NAME.artifacts[]", profile["actions"]?["a"]?["artifacts"]?.array?.first),
            ("actions.NAME.metrics.NAME", profile["actions"]?["a"]?["metrics"]?["m"]),
            ("background_collectors.NAME", profile["background_collectors"]?["c"]),
        ]
        var checked = 0
        for (path, value) in places {
            let members = try #require(value?.object?.members)
            for (name, value) in members {
                let key = try #require(row(name, in: path), "\(path) \(name)")
                guard !["host", "path", "commands", "command", "interval", "regex"].contains(name),
                    let text = Self.text(value)
                else { continue }
                #expect(key.type.contains("default \(text)"), "\(path) \(name): \(key.type)")
                checked += 1
            }
        }
        #expect(checked >= 10)
    }

    private func row(_ name: String, in path: String) -> ProfileKey? {
        ProfileSection.all.first { $0.path == path }?.keys.first { $0.name == name }
    }

    /// As it would be written; nil for what is empty or has members of its own.
    private static func text(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .array(let items):
            items.isEmpty || items[0].string == nil
                ? nil : "[" + items.compactMap(\.string).joined(separator: ", ") + "]"
        case .object: nil
        default: value.text
        }
    }
}
