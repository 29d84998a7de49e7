import EventLog
package import JSON

/// What the events say of rules.
package struct RulesState: Sendable, Equatable {
    /// A rule that has begun and not ended.
    package struct Begin: Sendable, Equatable {
        /// Since when its condition has held, UTC by the controller's clock.
        package let since: String
        package let deed: String
        /// Its hold was ended by somebody, or has lasted too long.
        package var isReleased = false
    }

    /// By the rules' names.
    package private(set) var active: [String: Begin] = [:]
    /// The data of every `interval_marked`.
    package private(set) var marked: [JSON] = []

    package init() {}

    mutating func apply(_ event: Event) {
        guard let rule = event.data["rule"]?.string else { return }
        if event.type == .intervalMarked {
            marked.append(.object(event.data))
            active[rule] = nil
            return
        }
        switch event.data["phase"]?.string {
        case "begin":
            active[rule] = Begin(
                since: event.data["at"]?.string ?? event.time, deed: event.data["do"]?.string ?? "")
        case "released": active[rule]?.isReleased = true
        default: active[rule] = nil
        }
    }

    package var json: JSON {
        var begun = JSONObject()
        for (rule, begin) in active.sorted(by: { $0.key < $1.key }) {
            begun[rule] = [
                "since": .string(begin.since), "do": .string(begin.deed), "released": .bool(begin.isReleased),
            ]
        }
        return ["active": .object(begun), "marked": .array(marked)]
    }

    init(json: JSON?) {
        for (rule, begin) in json?["active"]?.object?.members ?? [] {
            active[rule] = Begin(
                since: begin["since"]?.string ?? "", deed: begin["do"]?.string ?? "",
                isReleased: begin["released"]?.bool ?? false)
        }
        marked = json?["marked"]?.array ?? []
    }
}
