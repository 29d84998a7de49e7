import JSON
import Patterns
import YAML

extension ProfileDecoder {
    mutating func metrics(_ fields: FieldReader) -> [Metric] {
        var metrics: [Metric] = []
        for member in fields.entries("metrics") ?? [] {
            checkName(member.name, "a metric's name", at: member.mark)
            guard let metric = metric(member) else { continue }
            metrics.append(metric)
            if metric.isCount, metrics.filter(\.isCount).count > 1 {
                context.error("only one metric of an action can be its 'count'; remove the others", at: member.mark)
            }
        }
        return metrics
    }

    private mutating func metric(_ member: Node.Member) -> Metric? {
        let what = "metric '\(member.name)'"
        guard let fields = mapping(member.value, what, .metric) else { return nil }
        let place = fields["from"].flatMap { self.place($0) }
        let sources = ["regex", "json", "csv"].compactMap { fields.member($0) }
        guard sources.count == 1, let written = sources.first else {
            let advice = sources.isEmpty ? "write one of them" : "remove all but one"
            context.error("\(what) needs one of 'regex', 'json' and 'csv'; \(advice)", at: member.mark)
            return nil
        }
        let separator = separator(fields, isOfUse: written.name == "csv")
        guard let source = source(written, separator) else { return nil }
        let isNamedCount = member.name == "count"
        return Metric(
            name: member.name, source: source, from: place ?? .stdout, unit: fields.string("unit"),
            required: fields.bool("required") ?? false, isCount: fields.bool("count") ?? isNamedCount)
    }

    private mutating func place(_ node: Node) -> Metric.Place? {
        guard let path = filled(node, "'from'") else { return nil }
        switch path {
        case "stdout": return .stdout
        case "stderr": return .stderr
        default: return .file(plainTemplate(path, at: node))
        }
    }

    private func source(_ written: Node.Member, _ separator: CellSeparator?) -> Metric.Source? {
        switch written.name {
        case "json": return jsonPath(written.value, "'json'").map { .json($0) }
        case "csv": return filled(written.value, "'csv'").map { .csv(column: $0, separator) }
        default:
            guard let pattern = pattern(written.value) else { return nil }
            guard let group = pattern.group(named: "value") ?? (pattern.groupCount > 0 ? 1 : nil) else {
                context.error("the pattern has no group; put ( ) around the number", at: written.value.mark)
                return nil
            }
            return .regex(pattern, group: group)
        }
    }

    /// A regular expression; a mistake is reported at its place in the file.
    func pattern(_ node: Node) -> Pattern? {
        guard let text = filled(node, "'regex'") else { return nil }
        do { return try Pattern(text) } catch {
            context.error(
                "'regex' cannot be compiled: \(error.message) (at byte \(error.offset) of the pattern); correct it",
                at: context.source.mark(in: node, atByte: error.offset))
            return nil
        }
    }

    func jsonPath(_ node: Node, _ what: String) -> JSONPath? {
        guard let text = filled(node, what) else { return nil }
        do { return try JSONPath(text) } catch {
            context.error(
                "\(what) is no path: \(error.message); write one such as results[0].latency",
                at: context.source.mark(in: node, atByte: error.offset))
            return nil
        }
    }

    /// - Parameter isOfUse: whether there are columns.
    func separator(_ fields: FieldReader, isOfUse: Bool) -> CellSeparator? {
        guard let member = fields.member("separator"), let word = context.string(member.value, "'separator'") else {
            return nil
        }
        guard isOfUse else {
            context.error("'separator' is for 'csv'; remove it", at: member.mark)
            return nil
        }
        if let separator = CellSeparator(word) { return separator }
        context.error("'separator' cannot be '\(word)'; write one of , ; | :, tab or blanks", at: member.value.mark)
        return nil
    }
}
