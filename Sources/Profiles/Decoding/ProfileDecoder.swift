package import YAML

extension Profile {
    /// Reads a profile and checks everything that can be checked without a target.
    /// - Parameters:
    ///   - file: the name that messages show.
    ///   - rules: what is known about the words of `connection:`.
    /// - Throws: all problems of the file together.
    package static func parse(
        _ bytes: [UInt8], file: String, rules: ConnectionRules = ConnectionRules()
    ) throws(Diagnostics) -> Profile {
        let document = try Document(parsing: bytes, file: file)
        var decoder = ProfileDecoder(context: DecodingContext(document), rules: rules)
        let profile = decoder.profile(document.root)
        let warnings = try decoder.context.finish()
        guard var profile else { preconditionFailure("a profile that cannot be read has an error") }
        profile.warnings = warnings
        return profile
    }
}

/// A text with placeholders.
struct ParameterUse {
    let template: Template
    let node: Node
    let isShellText: Bool
}

/// Builds a profile out of nodes; what does not fit is reported to the context, and something harmless stands in for
/// it until the context throws.
struct ProfileDecoder {
    let context: DecodingContext
    let rules: ConnectionRules
    var declarations: [ParameterDeclaration] = []
    /// Where each declared parameter stands, for the checks at the end.
    var declarationMarks: [String: Mark] = [:]
    /// Every text with placeholders, and the node that it came from, for the checks that need all declarations.
    var uses: [ParameterUse] = []

    init(context: DecodingContext, rules: ConnectionRules) {
        self.context = context
        self.rules = rules
    }

    private static let advice = [
        "collectors": "write 'background_collectors'",
        "targets": "this version of ecr knows one target; write 'connection'",
    ]

    mutating func profile(_ root: Node) -> Profile? {
        guard let fields = mapping(root, "the profile", .profile, advice: Self.advice) else { return nil }
        let nameNode = fields.require("name", example: "name: my-device")
        let name = nameNode.flatMap { self.name($0, "'name'") }
        let connectionNode = fields.require("connection", example: "connection: {host: my-device}")
        let connection = connectionNode.flatMap { self.connection($0) }
        parameters(fields)
        let actions = self.actions(fields)
        let collectors = self.collectors(fields)
        if fields["actions"] == nil, fields["background_collectors"] == nil {
            context.error(
                "the profile does nothing; write 'actions' or 'background_collectors' with at least one entry",
                at: fields.mark)
        }
        let names = fields["actions"].flatMap(ProfileDecoder.memberNames) ?? []
        let setup = references(fields, "setup", to: names)
        let finally = references(fields, "finally", to: names)
        let stages = self.stages(fields, actions: names)
        checkParameterUse()
        return Profile(
            name: name ?? "", description: fields.string("description"), connection: connection ?? Connection(host: ""),
            parameters: declarations, setup: setup, finally: finally, actions: actions, stages: stages,
            collectors: collectors, rules: rules(fields, collectors, actions),
            facts: fields["facts"].map { facts($0) } ?? FactSettings(),
            transfers: fields["transfers"].map { transfers($0) } ?? TransferSettings(),
            notify: fields["notify"].flatMap { context.notify($0) }, warnings: [])
    }

    /// A mapping with the keys of a section; the others are reported.
    /// - Parameter advice: what to say about keys that are tempting but impossible.
    func mapping(
        _ node: Node, _ what: String, _ section: ProfileSection, advice: [String: String] = [:]
    ) -> FieldReader? {
        context.fields(node, what, keys: section.names, advice: advice)
    }

    // MARK: Names

    /// The names of a mapping's members, those with problems included, so that one mistake is reported once.
    private static func memberNames(_ node: Node) -> [String]? {
        if case .mapping(let members) = node.content { members.map(\.name) } else { nil }
    }

    private func name(_ node: Node, _ what: String) -> String? {
        guard let text = context.string(node, what) else { return nil }
        checkName(text, what, at: node.mark)
        return text
    }

    func checkName(_ name: String, _ what: String, at mark: Mark) {
        let allowed = name.utf8.enumerated().allSatisfy { index, byte in
            isNameByte(byte, first: false) && (index > 0 || byte != UInt8(ascii: "_"))
                || index > 0 && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-"))
        }
        guard !name.isEmpty, name.utf8.count <= 64, allowed else {
            context.error(
                "\(what) cannot be '\(name)'; write 1 to 64 letters, digits, '_', '.' or '-', "
                    + "the first a letter or digit",
                at: mark)
            return
        }
    }

    /// A list of names of actions.
    private func references(_ fields: FieldReader, _ key: String, to names: [String]) -> [String] {
        fields[key].map { references($0, "'\(key)'", to: names) } ?? []
    }

    private func references(_ node: Node, _ what: String, to names: [String]) -> [String] {
        let known = KnownNames(names)
        return (context.list(node, what) ?? []).compactMap { item in
            guard let name = context.string(item, "each entry of \(what)") else { return nil }
            if !names.contains(name) {
                let hint = known.hint(for: name, label: "actions") ?? "write it below 'actions'"
                context.error("there is no action '\(name)'; \(hint)", at: item.mark)
            }
            return name
        }
    }

    private func stages(_ fields: FieldReader, actions: [String]) -> [Stage] {
        var seen: Set<String> = []
        return (fields.list("stages") ?? []).compactMap { item in
            guard let entry = mapping(item, "a stage", .stage) else { return nil }
            let nameNode = entry.require("name", example: "name: warmup")
            let name = nameNode.flatMap { self.name($0, "a stage's name") }
            if let name, let nameNode, !seen.insert(name).inserted {
                context.error("the stage '\(name)' occurs twice; give each its own name", at: nameNode.mark)
            }
            guard let list = entry.require("actions", example: "actions: [my-action]") else { return nil }
            if case .sequence(let items) = list.content, items.isEmpty {
                context.error("a stage needs at least one action; write 'actions: [my-action]'", at: list.mark)
            }
            return Stage(name: name ?? "", actions: references(list, "'actions'", to: actions))
        }
    }
}
