import Profiles

/// One rule on its way through a run: waits for its condition, for its patience, and for its end. Times are those of the
/// samples, so that what comes late after a loss of the link is judged as if it had come in time.
struct RuleWatch: Sendable {
    enum Phase: Equatable {
        case idle
        /// The condition has held since this moment, and not yet for long enough.
        case pending(since: Int64)
        case active(since: Int64)
    }

    enum Change: Equatable {
        /// The condition has held for as long as it must, since this moment.
        case began(since: Int64)
        case ended(since: Int64, at: Int64)
    }

    let rule: Rule
    private(set) var phase = Phase.idle

    init(_ rule: Rule) { self.rule = rule }

    /// For a rule that was active when an earlier supervisor ended.
    init(_ rule: Rule, activeSince time: Int64) {
        self.rule = rule
        phase = .active(since: time)
    }

    /// Whether a collector's samples, or an action's metrics, decide.
    func isAbout(_ owner: RuleCondition.Owner) -> Bool { rule.fields.contains { $0.owner == owner } }

    /// Waits for the condition anew: nobody tells any more whether it holds.
    /// - Returns: the end of what was active.
    mutating func reset(at time: Int64) -> Change? {
        defer { phase = .idle }
        guard case .active(let since) = phase else { return nil }
        return .ended(since: since, at: max(since, time))
    }

    /// - Parameters:
    ///   - values: the last known ones of all fields.
    ///   - time: of the newest of them.
    mutating func take(_ values: [RuleCondition.Field: Double], at time: Int64) -> Change? {
        switch phase {
        case .active(let since):
            let isOver = rule.until.map { $0.holds(values) ?? false } ?? (rule.when.holds(values) == false)
            guard isOver else { return nil }
            phase = .idle
            return .ended(since: since, at: max(since, time))
        case .idle, .pending:
            switch rule.when.holds(values) {
            case nil: return nil
            case false?:
                phase = .idle
                return nil
            case true?:
                let since = if case .pending(let since) = phase { min(since, time) } else { time }
                phase = .pending(since: since)
                guard Double(time - since) >= rule.patience * 1e6 else { return nil }
                phase = .active(since: since)
                return .began(since: since)
            }
        }
    }
}
