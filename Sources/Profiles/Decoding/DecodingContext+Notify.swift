import EventLog
package import YAML

/// `notify: {on: [connection_lost, run_completed], run: ./ping.sh}`, in a profile and in `ecr.yaml` alike.
extension DecodingContext {
    package func notify(_ node: Node) -> Notify? {
        guard let fields = fields(node, "'notify'", keys: ProfileSection.notify.names) else { return nil }
        let types = fields.require("on", example: "on: [connection_lost, run_completed]").flatMap { eventTypes($0) }
        let command = fields.require("run", example: "run: ./ping.sh").flatMap { shellText($0) }
        guard let types, let command else { return nil }
        return Notify(on: types, run: command)
    }

    private func eventTypes(_ node: Node) -> [String]? {
        guard let items = list(node, "'on'") else { return nil }
        if items.isEmpty {
            error("'on' is empty; write at least one type of event, such as run_completed", at: node.mark)
        }
        let known = KnownNames(EventType.specification.map(\.type.rawValue))
        return items.compactMap { item in
            guard let type = string(item, "each entry of 'on'") else { return nil }
            if known.names.contains(type) { return type }
            let near = known.closest(to: type).map { "did you mean '\($0)'?" }
            error("there is no event type '\(type)'; \(near ?? "`ecr help events` lists them")", at: item.mark)
            return nil
        }
    }

    private func shellText(_ node: Node) -> String? {
        guard let text = string(node, "'run'") else { return nil }
        guard !text.allSatisfy(\.isWhitespace) else {
            error("'run' is empty; write a command, such as ./ping.sh", at: node.mark)
            return nil
        }
        return text
    }
}
