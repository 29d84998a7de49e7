package import JSON

/// What one check of a target or of this machine found, and what to do about it.
package struct Finding: Sendable, Equatable {
    package enum State: String, Sendable {
        case ok
        /// Runs work, but less well than they could.
        case warning
        /// Runs would fail, or lose what they promise.
        case failed
    }

    /// What was looked at: one or two words.
    package let check: String
    package let state: State
    /// May hold text of a target: escape it before it reaches a terminal.
    package let message: String
    /// The next thing to do.
    package let hint: String?
    /// The same for programs, beside the message.
    package let details: JSONObject

    package init(_ check: String, _ state: State, _ message: String, hint: String? = nil, details: JSONObject = [:]) {
        self.check = check
        self.state = state
        self.message = message
        self.hint = hint
        self.details = details
    }

    package var json: JSON {
        let common: JSONObject = [
            "check": .string(check), "state": .string(state.rawValue), "message": .string(message),
            "hint": hint.map { .string($0) },
        ]
        return .object(JSONObject(common, details))
    }
}
