import YAML

extension ProfileDecoder {
    /// Refusals that are reported of one command: finding the place of each costs a walk over its text.
    private static let shownRefusals = 20

    /// Shell text; a placeholder where no value can stand is an error.
    mutating func shellTemplate(_ node: Node, _ what: String) -> Template? {
        guard let text = filled(node, what) else { return nil }
        let (template, refusals) = Template.shell(text, mark: node.mark)
        for refusal in refusals.prefix(Self.shownRefusals) {
            let place = context.source.mark(in: node, atByte: refusal.placeholder.offset)
            context.error(refusal.message, at: place)
        }
        uses.append(ParameterUse(template: template, node: node, isShellText: true))
        return template
    }

    /// A path on the target or beside the profile.
    mutating func path(_ node: Node, _ what: String) -> Template? {
        filled(node, what).map { plainTemplate($0, at: node) }
    }

    mutating func plainTemplate(_ text: String, at node: Node) -> Template {
        let template = Template(plain: text, mark: node.mark)
        uses.append(ParameterUse(template: template, node: node, isShellText: false))
        return template
    }

    /// Checks that need both the declarations and all the places at which parameters are used.
    func checkParameterUse() {
        let mentioned = Set(uses.flatMap(\.template.environmentMentions).map { "ECR_PARAM_" + $0 })
        let placed = Set(uses.flatMap(\.template.parameterNames))
        for declaration in declarations where !placed.contains(declaration.name) {
            guard !mentioned.contains(declaration.environmentName), let mark = declarationMarks[declaration.name] else {
                continue
            }
            context.warning(
                "nothing uses the parameter '\(declaration.name)'; write {\(declaration.name)} in a command, "
                    + "or remove it", at: mark)
        }
        for use in uses {
            for placeholder in use.template.firstPlaceholders {
                use.isShellText ? check(placeholder, in: use.node) : checkIsNotWords(placeholder, in: use.node)
            }
        }
        checkEnvironmentNames()
    }

    private func check(_ placeholder: Template.Placeholder, in node: Node) {
        let declaration = declarations.first { $0.name == placeholder.name }
        let name = placeholder.name
        if declaration?.type == .words, placeholder.quoting != .bare || !placeholder.standsAlone {
            context.error(
                "{\(name)} gives several words and must stand alone; put blanks around it, no quotes",
                at: context.source.mark(in: node, atByte: placeholder.offset))
        }
        if let interpreter = placeholder.interpreter, declaration?.isHarmless != true {
            context.warning(
                "the value of {\(name)} is interpreted again by '\(interpreter)'; use \"$\(variable(name))\" there, "
                    + "or declare the parameter with 'choices' or as a number",
                at: context.source.mark(in: node, atByte: placeholder.offset))
        }
    }

    private func checkIsNotWords(_ placeholder: Template.Placeholder, in node: Node) {
        guard declarations.contains(where: { $0.name == placeholder.name && $0.type == .words }) else { return }
        context.error(
            "{\(placeholder.name)} gives several words, which only a command can take; use another parameter",
            at: context.source.mark(in: node, atByte: placeholder.offset))
    }

    /// Two names that differ only in case would share one environment variable.
    private func checkEnvironmentNames() {
        var owners: [String: String] = [:]
        for declaration in declarations { owners[declaration.environmentName] = declaration.name }
        for use in uses {
            for placeholder in use.template.placeholders where declarationMarks[placeholder.name] == nil {
                let owner = owners[variable(placeholder.name)] ?? placeholder.name
                owners[variable(placeholder.name)] = owner
                guard owner != placeholder.name else { continue }
                context.error(
                    "{\(placeholder.name)} and {\(owner)} would both be \(variable(owner)); use one spelling",
                    at: context.source.mark(in: use.node, atByte: placeholder.offset))
            }
        }
    }

    private func variable(_ name: String) -> String { ParameterDeclaration.environmentName(of: name) }
}

extension ParameterDeclaration {
    /// True where no value can mean anything to an interpreter: numbers, and words that the profile itself lists.
    var isHarmless: Bool { type == .int || type == .float || type == .bool || choices != nil }
}

extension Template.Refusal {
    /// Why the value cannot stand there, and what can.
    var message: String {
        let name = placeholder.name
        let variable = "\"$\(ParameterDeclaration.environmentName(of: name))\""
        let literal = "write {{\(name)}} for the text {\(name)}"
        return "{\(name)} cannot be substituted \(place); use \(variable) \(instead), or \(literal)"
    }

    private var place: String {
        switch reason {
        case .singleQuotes: "inside single quotes"
        case .dollarQuotes: "inside $'...'"
        case .hereDocument: "inside a here-document"
        case .backticks: "inside backticks"
        case .arithmetic: "inside ((...))"
        case .comment: "inside a comment"
        case .expansion: "inside ${...}"
        case .afterBackslash: "behind a backslash"
        case .afterDollar: "behind a '$'"
        case .subscripted: "inside name[...]"
        case .doubt: "here, because shells may read the text before it in different ways"
        }
    }

    private var instead: String {
        switch reason {
        case .singleQuotes, .dollarQuotes: "outside of them"
        case .hereDocument: "without its quotes below an unquoted delimiter"
        case .arithmetic, .subscripted: "there only after checking that it is a number"
        case .backticks: "or $(...)"
        case .comment, .expansion, .afterBackslash, .afterDollar, .doubt: "instead"
        }
    }
}
