import YAML

extension Profile {
    /// The values that count for an action: `given`, else `standing`, else the declaration's default.
    /// - Parameters:
    ///   - given: the `-p` of this action.
    ///   - standing: what was set for the run. Names that only others use are no mistake here.
    /// - Throws: everything that is missing, invalid or unknown, together.
    package func parameters(
        for action: Action, given: [(String, String)], standing: [(String, String)]
    ) throws(ParameterError) -> ParameterValues {
        let user = ParameterUser(title: "action '\(action.name)'", templates: action.templates)
        return try values(for: user, given: given, standing: standing)
    }

    /// The values that count for each action of a stage.
    /// - Parameter given: the `-p` of the stage; each must be used by one of its actions.
    /// - Throws: everything that is missing, invalid or unknown, together.
    package func parameters(
        for stage: Stage, given: [(String, String)], standing: [(String, String)]
    ) throws(ParameterError) -> [(action: Action, values: ParameterValues)] {
        let actions = stage.actions.compactMap { action(named: $0) }
        let user = ParameterUser(title: "stage '\(stage.name)'", templates: actions.flatMap(\.templates))
        var problems = problems(with: given, for: user)
        var all: [(action: Action, values: ParameterValues)] = []
        for action in actions where problems.isEmpty {
            do { all.append((action, try parameters(for: action, given: [], standing: standing + given))) } catch {
                problems += error.problems
            }
        }
        if !problems.isEmpty { throw ParameterError(problems: problems) }
        return all
    }

    /// The values that count for a collector: `standing`, else the declaration's default.
    /// - Throws: everything that is missing or invalid, together.
    package func parameters(
        for collector: Collector, standing: [(String, String)]
    ) throws(ParameterError) -> ParameterValues {
        let user = ParameterUser(title: "collector '\(collector.name)'", templates: collector.templates)
        return try values(for: user, given: [], standing: standing)
    }

    /// Checks values that are set for a whole run, by `-p` on `run start` or by `param set`.
    /// - Throws: everything that is invalid, given twice or used by nothing, together.
    package func checkStanding(_ given: [(String, String)]) throws(ParameterError) {
        let templates = actions.flatMap(\.templates) + collectors.flatMap(\.templates)
        let user = ParameterUser(title: "the profile '\(self.name)'", templates: templates)
        let problems = problems(with: given, for: user)
        if !problems.isEmpty { throw ParameterError(problems: problems) }
    }

    /// The declared parameters, then those that are only used.
    package var allParameters: [ParameterDeclaration] {
        let user = ParameterUser(
            title: name, templates: actions.flatMap(\.templates) + collectors.flatMap(\.templates))
        return parameters + neededNames(user).filter { parameter(named: $0) == nil }.map { declaration(of: $0) }
    }

    /// Those that an action takes.
    package func parameters(of action: Action) -> [ParameterDeclaration] {
        neededNames(ParameterUser(title: action.name, templates: action.templates)).map { declaration(of: $0) }
    }

    // MARK: Shared

    private func values(
        for user: ParameterUser, given: [(String, String)], standing: [(String, String)]
    ) throws(ParameterError) -> ParameterValues {
        var problems = problems(with: given, for: user)
        var values = ParameterValues()
        let needed = neededNames(user)
        for name in parameters.map(\.name) + needed.filter({ parameter(named: $0) == nil }) {
            let declaration = declaration(of: name)
            let isGiven = given.contains { $0.0 == name }
            let value = given.last { $0.0 == name }?.1 ?? standing.last { $0.0 == name }?.1 ?? declaration.defaultValue
            if let value {
                if !isGiven, needed.contains(name) { problems += objections(to: value, declaration) }
                values.add(name, value)
            } else if needed.contains(name) {
                let hint = declaration.choicesHint
                problems.append("\(user.title) needs the parameter '\(name)'\(hint); \(howToGive(name))")
            }
        }
        if !problems.isEmpty { throw ParameterError(problems: problems) }
        return values
    }

    /// What is wrong with the values that somebody typed.
    private func problems(with given: [(String, String)], for user: ParameterUser) -> [String] {
        let known = KnownNames(neededNames(user) + parameters.map(\.name).filter { !neededNames(user).contains($0) })
        var seen: Set<String> = []
        return given.flatMap { name, value -> [String] in
            guard seen.insert(name).inserted else { return ["parameter '\(name)' is given twice; give it once"] }
            guard known.names.contains(name) else {
                let hint = known.hint(for: name, label: "parameters") ?? "it has none"
                return ["\(user.title) has no parameter '\(name)'; \(hint)"]
            }
            return objections(to: value, declaration(of: name))
        }
    }

    private func objections(to value: String, _ declaration: ParameterDeclaration) -> [String] {
        let objection = declaration.objection(to: value, advice: howToGive(declaration.name))
        return objection.map { ["parameter '\(declaration.name)' \($0)"] } ?? []
    }

    private func howToGive(_ name: String) -> String { "give it with -p \(name)=VALUE" }

    func declaration(of name: String) -> ParameterDeclaration {
        parameter(named: name) ?? ParameterDeclaration(name: name)
    }

    /// The parameters that must have values: those of the placeholders, and those of `$ECR_PARAM_<NAME>`. A variable
    /// that belongs to no other name is the parameter of that name in lower case.
    private func neededNames(_ user: ParameterUser) -> [String] {
        var names: [String] = []
        for name in user.templates.flatMap(\.parameterNames) where !names.contains(name) { names.append(name) }
        for mention in user.templates.flatMap(\.environmentMentions) {
            let variable = "ECR_PARAM_" + mention
            let known = names + parameters.map(\.name)
            let owner = known.first { ParameterDeclaration.environmentName(of: $0) == variable }
            let name = owner ?? mention.lowercased()
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}

/// Something that takes parameters.
private struct ParameterUser {
    let title: String
    let templates: [Template]
}

extension Action {
    /// Every text of the action that may have placeholders.
    var templates: [Template] {
        commands + (workdir.map { [$0] } ?? []) + env.compactMap(\.template) + upload.flatMap { [$0.from, $0.to] }
            + artifacts.map(\.path) + metrics.compactMap(\.template)
    }
}

extension Collector {
    /// Every text of the collector that may have placeholders.
    var templates: [Template] { (command.map { [$0] } ?? []) + env.compactMap(\.template) }
}

extension ParameterDeclaration {
    fileprivate var choicesHint: String {
        choices.map { " (one of \($0.joined(separator: ", ")))" } ?? (type == .string ? "" : " (\(type.rawValue))")
    }
}
