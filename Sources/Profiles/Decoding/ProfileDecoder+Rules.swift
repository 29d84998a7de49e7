import YAML

extension ProfileDecoder {
    /// `rules: [{when: "temperature.cpu > 85", for: 5s, do: hold, until: "temperature.cpu < 70"}]`.
    func rules(_ fields: FieldReader, _ collectors: [Collector], _ actions: [Action]) -> [Rule] {
        let known = RuleFields(collectors: collectors, actions: actions)
        var names: Set<String> = []
        return (fields.list("rules") ?? []).compactMap { item in
            guard let entry = mapping(item, "a rule", .rule) else { return nil }
            let until = entry["until"].flatMap { condition($0, "'until'", known) }
            let deed = entry.choice("do", of: Rule.Deed.self) ?? .mark
            if deed != .hold, let member = entry.member("max_hold") {
                context.error("only 'do: hold' takes 'max_hold'; remove it", at: member.mark)
            }
            guard let node = entry.require("when", example: "when: \"temperature.cpu > 85\""),
                let when = condition(node, "'when'", known)
            else { return nil }
            let name = entry.string("name") ?? when.text
            if !names.insert(name).inserted {
                context.error("there are two rules '\(name)'; give one of them a 'name'", at: item.mark)
            }
            let rule = Rule(
                name: name, when: when, patience: entry.duration("for") ?? 0, deed: deed, until: until,
                maxHold: entry.positiveDuration("max_hold"), note: entry.string("note"))
            if deed == .hold, let action = rule.actions.first, let member = entry.member("do") {
                context.error(
                    "'hold' cannot look at a metric of action '\(action)', which is not known any more when the next action "
                        + "begins; write 'do: pause'", at: member.value.mark)
            }
            return rule
        }
    }

    private func condition(_ node: Node, _ what: String, _ known: RuleFields) -> RuleCondition? {
        guard let text = filled(node, what) else { return nil }
        var parser = RuleParser(text) { (name) throws(RuleParser.Unknown) in try known.field(name) }
        do { return try parser.condition() } catch {
            context.error("\(what): \(error.message)", at: context.source.mark(in: node, atByte: error.offset))
            return nil
        }
    }
}
