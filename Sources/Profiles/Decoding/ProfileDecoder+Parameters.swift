import YAML

extension ProfileDecoder {
    mutating func parameters(_ fields: FieldReader) {
        var owners: [String: String] = [:]
        for member in fields.entries("parameters") ?? [] {
            guard member.name.utf8.enumerated().allSatisfy({ isNameByte($1, first: $0 == 0) }) else {
                context.error(
                    "a parameter cannot be named '\(member.name)'; write letters, digits and '_', no digit first",
                    at: member.mark)
                continue
            }
            guard let declaration = declaration(member) else { continue }
            if let owner = owners.updateValue(member.name, forKey: declaration.environmentName) {
                context.error(
                    "'\(member.name)' and '\(owner)' would both be \(declaration.environmentName); rename one of the two",
                    at: member.mark)
            }
            declarations.append(declaration)
            declarationMarks[member.name] = member.mark
        }
    }

    private func declaration(_ member: Node.Member) -> ParameterDeclaration? {
        var declaration = ParameterDeclaration(name: member.name)
        // `model:` alone declares the name and nothing else.
        if member.value.scalar?.value == .null { return declaration }
        let what = "parameter '\(member.name)'"
        guard let fields = mapping(member.value, what, .parameter) else { return nil }
        declaration.type = fields.choice("type", of: ParameterDeclaration.Kind.self) ?? .string
        declaration.description = fields.string("description")
        declaration.allow = (fields.list("allow") ?? []).compactMap {
            context.choice($0, "each entry of 'allow'", of: ParameterDeclaration.Allowance.self)
        }
        declaration.min = fields.number("min")
        declaration.max = fields.number("max")
        checkLimits(declaration, fields)
        if let pattern = fields.member("pattern") {
            context.error(
                "'pattern' is not supported by this version of ecr; use 'choices', or remove it", at: pattern.mark)
        }
        let choices = choices(fields, declaration)
        declaration.choices = choices
        declaration.defaultValue = fields.string("default")
        checkDefault(declaration, fields)
        return declaration
    }

    private func checkLimits(_ declaration: ParameterDeclaration, _ fields: FieldReader) {
        let isNumber = declaration.type == .int || declaration.type == .float
        for key in ["min", "max"] where !isNumber {
            guard let member = fields.member(key) else { continue }
            context.error(
                "'\(key)' needs a number; write 'type: int' or 'type: float' too, or remove it", at: member.mark)
        }
        if let min = declaration.min, let max = declaration.max, min > max, let node = fields["max"] {
            context.error("'max' is below 'min'; swap the two", at: node.mark)
        }
    }

    private func choices(_ fields: FieldReader, _ declaration: ParameterDeclaration) -> [String]? {
        guard let node = fields["choices"], let items = context.list(node, "'choices'") else { return nil }
        if items.isEmpty { context.error("'choices' is empty; write at least one, or remove it", at: node.mark) }
        var choices: [String] = []
        for item in items {
            guard let choice = context.string(item, "each entry of 'choices'") else { continue }
            if let objection = declaration.objection(to: choice, advice: "write another, or change the declaration") {
                context.error("this choice \(objection)", at: item.mark)
            }
            choices.append(choice)
        }
        return choices
    }

    private func checkDefault(_ declaration: ParameterDeclaration, _ fields: FieldReader) {
        guard let value = declaration.defaultValue, let node = fields["default"],
            let objection = declaration.objection(to: value, advice: "write another, or change the declaration")
        else { return }
        context.error("the default \(objection)", at: node.mark)
    }
}
