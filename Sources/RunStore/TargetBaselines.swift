package import JSON

/// The target's state at the start and at the end of a run, and what has become another in between.
package struct TargetBaselines: Sendable, Equatable {
    /// The data of `target_facts` events.
    package private(set) var start: JSONObject?
    package private(set) var end: JSONObject?

    package init() {}

    /// - Returns: false for facts of a connection.
    mutating func take(_ data: JSONObject) -> Bool {
        switch data["at"]?.string {
        case "start": start = data
        case "end": end = data
        default: return false
        }
        return true
    }

    /// A fact with different values at both ends; nil where there is none.
    package struct Change: Sendable, Equatable {
        /// The way to it: `disks / free_kib`.
        package let name: String
        package let before: JSON?
        package let after: JSON?
    }

    /// What is not the same at the end as it was at the start.
    package var changes: [Change] {
        guard let start, let end else { return [] }
        let isWhole = start["incomplete"]?.bool != true && end["incomplete"]?.bool != true
        // A fact that did not come in time is no other fact.
        return Self.changes([], .object(start), .object(end)).filter { isWhole || $0.before != nil && $0.after != nil }
    }

    /// Whether facts of one end did not come in time, so that nothing can be said of them.
    package var areIncomplete: Bool {
        [start, end].contains { $0 == nil || $0?["incomplete"]?.bool == true }
    }

    /// These differ always.
    private static let fleeting: Set<String> = ["at", "uptime_s", "load"]

    private static func changes(_ path: [String], _ before: JSON?, _ after: JSON?) -> [Change] {
        if before == after { return [] }
        if let old = members(before), let new = members(after) {
            var names = old.map(\.key)
            for (key, _) in new where !names.contains(key) { names.append(key) }
            return names.filter { !(path.isEmpty && fleeting.contains($0)) }.flatMap { name in
                changes(path + [name], old.first { $0.key == name }?.value, new.first { $0.key == name }?.value)
            }
        }
        return [Change(name: path.joined(separator: " "), before: before, after: after)]
    }

    /// Those of a mapping, or of a list of mappings that have a name each.
    private static func members(_ json: JSON?) -> [(key: String, value: JSON)]? {
        if let object = json?.object { return object.members }
        guard let list = json?.array, list.allSatisfy({ $0["name"]?.string != nil }), !list.isEmpty else { return nil }
        return list.map { ($0["name"]?.string ?? "", $0) }
    }

    package var json: JSON { ["start": start.map { .object($0) }, "end": end.map { .object($0) }] }

    init(json: JSON?) {
        start = json?["start"]?.object
        end = json?["end"]?.object
    }
}
