/// The keys of one mapping of a profile: what the decoder takes, and what `ecr help profile` and the man page print.
/// There is no other list, so a key that can be written has its explanation.
package struct ProfileSection: Sendable {
    /// The keys that lead to the mapping, such as `actions.NAME`; empty for the profile itself.
    package let path: String
    package let introduction: String
    package let keys: [ProfileKey]

    init(_ path: String, _ introduction: String, _ keys: [ProfileKey]) {
        self.path = path
        self.introduction = introduction
        self.keys = keys
    }

    /// What the decoder takes.
    var names: [String] { keys.map(\.name) }
}

package struct ProfileKey: Sendable {
    package let name: String
    /// What may be written, and what holds without it: `duration, default 3s`.
    package let type: String
    /// What the key is for.
    package let meaning: String

    init(_ name: String, _ type: String, _ meaning: String) {
        self.name = name
        self.type = type
        self.meaning = meaning
    }
}
