import JSON
import Patterns
import YAML

extension ProfileDecoder {
    func sampleFormat(_ node: Node) -> SampleFormat? {
        guard let fields = mapping(node, "'parse'", .parse) else { return nil }
        let ways = ["regex", "json", "csv", "key_value"].compactMap { fields.member($0) }
        guard ways.count == 1, let way = ways.first else {
            context.error(
                "'parse' needs one of 'regex', 'json', 'csv' and 'key_value', and no more than one", at: node.mark)
            return nil
        }
        let separator = separator(fields, isOfUse: way.name == "csv")
        var format: SampleFormat?
        switch way.name {
        case "regex": format = groups(way.value)
        case "json": format = paths(way.value)
        case "csv": format = columns(way.value, separator ?? .byte(UInt8(ascii: ",")))
        default: format = keys(way.value)
        }
        guard var format else { return nil }
        addUnits(fields, to: &format)
        addTypes(fields, to: &format)
        return format
    }

    // MARK: Fields

    private func groups(_ node: Node) -> SampleFormat? {
        guard let pattern = pattern(node) else { return nil }
        if pattern.groups.isEmpty {
            context.error(
                "the pattern has no named group; write (?<watts>[0-9.]+) around a value to name it", at: node.mark)
            return nil
        }
        for group in pattern.groups { checkField(group.name, at: node.mark) }
        return SampleFormat(syntax: .regex(pattern), fields: pattern.groups.map { SampleField(name: $0.name) })
    }

    private func paths(_ node: Node) -> SampleFormat? {
        guard let members = context.entries(node, "'json'") else { return nil }
        if members.isEmpty { context.error("'json' is empty; write 'json: {watts: power.total}'", at: node.mark) }
        var (fields, paths): ([SampleField], [JSONPath]) = ([], [])
        for member in members {
            checkField(member.name, at: member.mark)
            guard let path = jsonPath(member.value, "the path of '\(member.name)'") else { continue }
            fields.append(SampleField(name: member.name))
            paths.append(path)
        }
        return SampleFormat(syntax: .json(paths), fields: fields)
    }

    private func columns(_ node: Node, _ separator: CellSeparator) -> SampleFormat? {
        guard let items = context.list(node, "'csv'") else { return nil }
        var (fields, columns): ([SampleField], [Int?]) = ([], [])
        for item in items {
            guard let name = context.string(item, "each column of 'csv'") else { continue }
            if name == SampleField.leftOut {
                columns.append(nil)
                continue
            }
            checkField(name, at: item.mark)
            if fields.contains(where: { $0.name == name }) {
                context.error("the field '\(name)' occurs twice; give each its own name", at: item.mark)
            }
            columns.append(fields.count)
            fields.append(SampleField(name: name))
        }
        if fields.isEmpty { context.error("'csv' names no field; write 'csv: [watts, volts]'", at: node.mark) }
        return SampleFormat(syntax: .csv(columns, separator), fields: fields)
    }

    private func keys(_ node: Node) -> SampleFormat? {
        var (fields, keys): ([SampleField], [String]) = ([], [])
        func add(_ name: String, _ key: String, at mark: Mark) {
            checkField(name, at: mark)
            fields.append(SampleField(name: name))
            keys.append(key)
        }
        if case .sequence(let items) = node.content {
            for item in items {
                guard let key = filled(item, "each key of 'key_value'") else { continue }
                if keys.contains(key) { context.error("the key '\(key)' occurs twice; remove one", at: item.mark) }
                add(key, key, at: item.mark)
            }
        } else {
            for member in context.entries(node, "'key_value'") ?? [] {
                guard let key = filled(member.value, "the key of '\(member.name)'") else { continue }
                add(member.name, key, at: member.mark)
            }
        }
        if fields.isEmpty {
            context.error("'key_value' names no key; write 'key_value: {free: MemFree}'", at: node.mark)
        }
        return SampleFormat(syntax: .keyValue(keys), fields: fields)
    }

    private func checkField(_ name: String, at mark: Mark) {
        if SampleField.reserved.contains(name) {
            context.error("a field cannot be '\(name)', which every table has; give it another name", at: mark)
        } else {
            checkName(name, "a field's name", at: mark)
        }
    }

    // MARK: What is said of them

    private func addUnits(_ fields: FieldReader, to format: inout SampleFormat) {
        for member in fields.entries("units") ?? [] {
            guard let index = index(of: member, in: format), let unit = filled(member.value, "a unit") else { continue }
            format.fields[index].unit = unit
        }
    }

    private func addTypes(_ fields: FieldReader, to format: inout SampleFormat) {
        for member in fields.entries("types") ?? [] {
            guard let index = index(of: member, in: format) else { continue }
            format.fields[index].kind = context.choice(
                member.value, "the type of '\(member.name)'", of: SampleField.Kind.self)
        }
    }

    private func index(of member: Node.Member, in format: SampleFormat) -> Int? {
        if let index = format.fields.firstIndex(where: { $0.name == member.name }) { return index }
        let hint = KnownNames(format.fields.map(\.name)).hint(for: member.name, label: "fields")
        context.error("'parse' has no field '\(member.name)'; \(hint ?? "remove it")", at: member.mark)
        return nil
    }
}
