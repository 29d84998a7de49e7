import EventLog
package import JSON

/// What the events say of a run's collectors, over all their jobs: their fields, and what was wrong with samples.
package struct CollectorsState: Sendable, Equatable {
    /// By the collector's name: `{"fields": [{"name", "unit"?, "type"?}], "problems": [reason…]}`.
    private var members = JSONObject()

    init() {}

    init(json: JSON?) { members = json?.object ?? [:] }

    package var json: JSON { .object(members) }

    /// The fields of a collector's samples, with their units; empty for one whose samples are text.
    package func fields(of collector: String) -> [(name: String, unit: String?)] {
        (members[collector]?["fields"]?.array ?? []).compactMap { field in
            field["name"]?.string.map { ($0, field["unit"]?.string) }
        }
    }

    /// What was wrong with its samples, each reason once.
    package func problems(of collector: String) -> [String] {
        (members[collector]?["problems"]?.array ?? []).compactMap(\.string)
    }

    mutating func apply(_ event: Event) {
        guard let name = event.data["collector"]?.string else { return }
        var own = members[name]?.object ?? [:]
        if event.type == .collectorStarted {
            own["fields"] = event.data["fields"]
        } else if event.data["tick"] != nil, let reason = event.data["reason"]?.string,
            !problems(of: name).contains(reason)
        {
            own["problems"] = JSON(strings: problems(of: name) + [reason])
        }
        members[name] = .object(own)
    }
}
