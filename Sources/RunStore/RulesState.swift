import EventLog
package import JSON

/// What the events say of rules.
package struct RulesState: Sendable, Equatable {
    /// A rule that has begun and not ended.
    package struct Begin: Sendable, Equatable {
        /// Since when its condition has held, UTC by the controller's clock.
        package let since: String
        /// When it was carried out: later by the rule's patience.
        package let begun: String
        package let deed: String
        package let note: String?
        /// Its hold was ended by somebody, or has lasted too long.
        package var isReleased = false
    }

    /// By the rules' names.
    package private(set) var active: [String: Begin] = [:]
    /// The data of the last `interval_marked` events; all of them stand in the event stream.
    package private(set) var lastMarked: [JSON] = []
    /// How many there are.
    package private(set) var marked: Int64 = 0

    /// Origin: what a person reads; a number that flickers around a threshold makes thousands.
    private static let kept = 20

    package init() {}

    mutating func apply(_ event: Event) {
        guard let rule = event.data["rule"]?.string else { return }
        if event.type == .intervalMarked {
            marked += 1
            lastMarked = (lastMarked + [.object(event.data)]).suffix(Self.kept)
            active[rule] = nil
            return
        }
        switch event.data["phase"]?.string {
        case "begin":
            active[rule] = Begin(
                since: event.data["at"]?.string ?? event.time, begun: event.time,
                deed: event.data["do"]?.string ?? "", note: event.data["note"]?.string)
        case "released": active[rule]?.isReleased = true
        case "silent": break
        default: active[rule] = nil
        }
    }

    /// The data of `interval_marked` for the marks that are open when a run ends.
    /// - Parameter time: of that end.
    package func closingMarks(at time: String) -> [JSONObject] {
        active.filter { $0.value.deed == "mark" }.sorted { $0.key < $1.key }.map { rule, begin in
            [
                "rule": .string(rule), "from": .string(begin.since), "to": .string(max(begin.since, time)),
                "note": begin.note.map { .string($0) },
            ]
        }
    }

    package var json: JSON {
        var begun = JSONObject()
        for (rule, begin) in active.sorted(by: { $0.key < $1.key }) {
            begun[rule] = [
                "since": .string(begin.since), "begun": .string(begin.begun), "do": .string(begin.deed),
                "note": begin.note.map { .string($0) }, "released": .bool(begin.isReleased),
            ]
        }
        return ["active": .object(begun), "marked_count": .int(marked), "last_marked": .array(lastMarked)]
    }

    init(json: JSON?) {
        for (rule, begin) in json?["active"]?.object?.members ?? [] {
            let since = begin["since"]?.string ?? ""
            active[rule] = Begin(
                since: since, begun: begin["begun"]?.string ?? since, deed: begin["do"]?.string ?? "",
                note: begin["note"]?.string, isReleased: begin["released"]?.bool ?? false)
        }
        lastMarked = json?["last_marked"]?.array ?? []
        marked = json?["marked_count"]?.int ?? 0
    }
}
