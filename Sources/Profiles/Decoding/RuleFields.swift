import YAML

/// What the conditions of a profile's rules can be about.
struct RuleFields {
    let collectors: [Collector]
    let actions: [Action]

    /// The field that a text such as `temperature.cpu` or `train.loss` names.
    ///
    /// The names of collectors, actions and fields may have dots in them: the longest name that there is counts. Where a
    /// collector and an action have the same name, the one that has such a field is meant.
    func field(_ text: String) throws(RuleParser.Unknown) -> RuleCondition.Field {
        let collector = Self.longest(collectors, \.name, text)
        let action = Self.longest(actions, \.name, text)
        switch (collector, action) {
        case (nil, nil):
            let asked = String(text.prefix { $0 != "." })
            let hint = KnownNames(collectors.map(\.name) + actions.map(\.name)).hint(for: asked, label: "there are")
            throw RuleParser.Unknown(
                message: "there is no collector or action '\(asked)'; \(hint ?? "the profile has none")")
        case (let collector?, nil): return try field(text, of: collector)
        case (nil, let action?): return try metric(text, of: action)
        case (let collector?, let action?):
            let isField = collector.fieldNames?.contains(Self.rest(text, behind: collector.name)) ?? false
            let isMetric = action.metrics.contains { $0.name == Self.rest(text, behind: action.name) }
            if isField, isMetric {
                throw RuleParser.Unknown(
                    message: "'\(text)' is a field of collector '\(collector.name)' and a metric of action "
                        + "'\(action.name)'; give one of them another name")
            }
            return isMetric ? try metric(text, of: action) : try field(text, of: collector)
        }
    }

    private func field(_ text: String, of collector: Collector) throws(RuleParser.Unknown) -> RuleCondition.Field {
        let name = Self.rest(text, behind: collector.name)
        guard let fields = collector.fieldNames else {
            throw RuleParser.Unknown(
                message: "the samples of collector '\(collector.name)' have no fields; write 'parse' there")
        }
        guard fields.contains(name) else {
            let hint = KnownNames(fields).hint(for: name, label: "it has")
            throw RuleParser.Unknown(
                message: "collector '\(collector.name)' has no field '\(name)'; \(hint ?? "it has none")")
        }
        return RuleCondition.Field(.collector(collector.name), name)
    }

    private func metric(_ text: String, of action: Action) throws(RuleParser.Unknown) -> RuleCondition.Field {
        let name = Self.rest(text, behind: action.name)
        guard let metric = action.metrics.first(where: { $0.name == name }) else {
            let hint = KnownNames(action.metrics.map(\.name)).hint(for: name, label: "it has")
            throw RuleParser.Unknown(
                message: "action '\(action.name)' has no metric '\(name)'; \(hint ?? "write it below its 'metrics'")")
        }
        if case .file = metric.from {
            throw RuleParser.Unknown(
                message: "metric '\(name)' of action '\(action.name)' is taken from a file, which is read when the "
                    + "action has ended; a rule needs one with 'from: stdout' or 'from: stderr'")
        }
        return RuleCondition.Field(.action(action.name), name)
    }

    private static func longest<Owner>(_ owners: [Owner], _ name: (Owner) -> String, _ text: String) -> Owner? {
        owners.filter { text.hasPrefix(name($0) + ".") }.max { name($0).utf8.count < name($1).utf8.count }
    }

    private static func rest(_ text: String, behind owner: String) -> String {
        String(text.dropFirst(owner.count + 1))
    }
}
