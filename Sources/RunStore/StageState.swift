import EventLog
package import JSON

/// What the events say of one execution of a stage.
package struct StageState: Sendable, Equatable {
    /// `running` means: started and no end is on record.
    package enum Outcome: String, Sendable { case running, completed, failed }

    package let name: String
    /// When `stage_started` was appended, and when the end was.
    package let started: String
    package private(set) var ended: String?
    package private(set) var outcome = Outcome.running
    package private(set) var reason: String?

    init(_ event: Event) {
        name = event.data["stage"]?.string ?? ""
        started = event.time
    }

    mutating func end(_ event: Event) {
        ended = event.time
        outcome = event.type == .stageCompleted ? .completed : .failed
        reason = event.data["reason"]?.string
    }

    package var json: JSON {
        [
            "stage": .string(name), "outcome": .string(outcome.rawValue), "reason": reason.map { .string($0) },
            "started": .string(started), "ended": ended.map { .string($0) },
        ]
    }

    init?(json: JSON) {
        guard let name = json["stage"]?.string, let started = json["started"]?.string,
            let outcome = Outcome(rawValue: json["outcome"]?.string ?? "")
        else { return nil }
        self.name = name
        self.started = started
        self.outcome = outcome
        ended = json["ended"]?.string
        reason = json["reason"]?.string
    }
}
