/// What is done when the numbers of collectors say that something is wrong: `when: "temperature.cpu > 85"`.
package struct Rule: Sendable, Equatable {
    package enum Deed: String, Sendable, CaseIterable {
        /// The time is recorded, so that an analysis can leave it out.
        case mark
        /// The next action waits until it is over.
        case hold
        /// The run is paused.
        case pause
        /// Actions that run are cancelled.
        case cancel
        /// The run is aborted.
        case abort
    }

    /// The rule's own, else the text of its condition.
    package var name: String
    package var when: RuleCondition
    /// Seconds for which the condition must hold.
    package var patience: Double
    package var deed: Deed
    /// What ends it; nil: as soon as `when` does not hold.
    package var until: RuleCondition?
    /// Seconds after which a hold is given up; nil for never.
    package var maxHold: Double?
    package var note: String?

    /// Those of both its conditions.
    package var fields: [RuleCondition.Field] { when.fields + (until?.fields ?? []) }

    /// The actions of whose metrics it is about.
    package var actions: [String] {
        fields.compactMap { if case .action(let name) = $0.owner { name } else { nil } }
    }

    package init(
        name: String, when: RuleCondition, patience: Double = 0, deed: Deed = .mark, until: RuleCondition? = nil,
        maxHold: Double? = nil, note: String? = nil
    ) {
        self.name = name
        self.when = when
        self.patience = patience
        self.deed = deed
        self.until = until
        self.maxHold = maxHold
        self.note = note
    }
}
