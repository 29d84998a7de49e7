import YAML

extension ProfileDecoder {
    /// `rules: [{when: "temperature.cpu > 85", for: 5s, do: hold, until: "temperature.cpu < 70"}]`.
    func rules(_ fields: FieldReader, _ collectors: [Collector]) -> [Rule] {
        var names: Set<String> = []
        return (fields.list("rules") ?? []).compactMap { item in
            guard let entry = mapping(item, "a rule", .rule) else { return nil }
            let until = entry["until"].flatMap { condition($0, "'until'", collectors) }
            let deed = entry.choice("do", of: Rule.Deed.self) ?? .mark
            if deed != .hold, let member = entry.member("max_hold") {
                context.error("only 'do: hold' takes 'max_hold'; remove it", at: member.mark)
            }
            guard let node = entry.require("when", example: "when: \"temperature.cpu > 85\""),
                let when = condition(node, "'when'", collectors)
            else { return nil }
            let name = entry.string("name") ?? when.text
            if !names.insert(name).inserted {
                context.error("there are two rules '\(name)'; give one of them a 'name'", at: item.mark)
            }
            return Rule(
                name: name, when: when, patience: entry.duration("for") ?? 0, deed: deed, until: until,
                maxHold: entry.positiveDuration("max_hold"), note: entry.string("note"))
        }
    }

    private func condition(_ node: Node, _ what: String, _ collectors: [Collector]) -> RuleCondition? {
        guard let text = filled(node, what) else { return nil }
        var parser = RuleParser(text) { (name) throws(RuleParser.Unknown) in try Self.field(name, of: collectors) }
        do { return try parser.condition() } catch {
            context.error("\(what): \(error.message)", at: context.source.mark(in: node, atByte: error.offset))
            return nil
        }
    }

    /// A collector's name may have dots in it, and so may a field's: the longest collector that there is counts.
    private static func field(_ name: String, of collectors: [Collector]) throws(RuleParser.Unknown)
        -> RuleCondition.Field
    {
        let candidates = collectors.filter { name.hasPrefix($0.name + ".") }
        guard let collector = candidates.max(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
            let asked = String(name.prefix { $0 != "." })
            let hint = KnownNames(collectors.map(\.name)).hint(for: asked, label: "there are")
            throw RuleParser.Unknown(message: "there is no collector '\(asked)'; \(hint ?? "the profile has none")")
        }
        let field = String(name.dropFirst(collector.name.count + 1))
        guard let fields = collector.fieldNames else {
            throw RuleParser.Unknown(
                message: "the samples of collector '\(collector.name)' have no fields; write 'parse' there")
        }
        guard fields.contains(field) else {
            let hint = KnownNames(fields).hint(for: field, label: "it has")
            throw RuleParser.Unknown(
                message: "collector '\(collector.name)' has no field '\(field)'; \(hint ?? "it has none")")
        }
        return RuleCondition.Field(collector: collector.name, name: field)
    }
}
