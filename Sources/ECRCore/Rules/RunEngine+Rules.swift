import EventLog
import JSON
import LinuxSystem
import Profiles
import RunStore

/// Rules on the numbers of collectors. Samples are judged at once and in their order; what follows from them is carried
/// out one after the other, since it waits for the record.
extension RunEngine {
    /// Something that a rule asks for.
    struct RuleStep: Sendable {
        let rule: Rule
        let change: RuleWatch.Change
        /// What the condition was about, with its numbers.
        let text: String
    }

    /// Takes up what an earlier supervisor knew.
    func restoreRules() {
        let active = journal.state.rules.active
        watches = profile.rules.map { rule in
            guard let begin = active[rule.name], let since = Clock.microseconds(iso8601: begin.since) else {
                return RuleWatch(rule)
            }
            if rule.deed == .hold, !begin.isReleased { beginHold(rule) }
            return RuleWatch(rule, activeSince: since)
        }
    }

    /// Judges a sample.
    func take(_ sample: SampleValues) {
        guard watches.contains(where: { $0.isAbout(sample.collector) }) else { return }
        for (name, value) in sample.fields {
            ruleValues[RuleCondition.Field(collector: sample.collector, name: name)] = value
        }
        for index in watches.indices where watches[index].isAbout(sample.collector) {
            guard let change = watches[index].take(ruleValues, at: sample.time) else { continue }
            let rule = watches[index].rule
            let text: String
            if case .ended = change, let until = rule.until {
                text = until.shown(ruleValues, isNegated: false)
            } else {
                text = rule.when.shown(ruleValues, isNegated: { if case .ended = change { true } else { false } }())
            }
            ruleSteps.append(RuleStep(rule: rule, change: change, text: text))
        }
        guard !ruleSteps.isEmpty, !isRuling else { return }
        isRuling = true
        Task {
            while !ruleSteps.isEmpty {
                let step = ruleSteps.removeFirst()
                do { try await carryOut(step) } catch { noticeFailure(error) }
            }
            isRuling = false
        }
    }

    private func carryOut(_ step: RuleStep) async throws {
        switch step.change {
        case .began(let since): try await begin(step.rule, since, step.text)
        case .ended(let since, let time): try await end(step.rule, since, time, step.text)
        }
    }

    private func begin(_ rule: Rule, _ since: Int64, _ text: String) async throws {
        try await journal.append(.ruleFired, fired(rule, "begin", at: since, values: text))
        guard !isEnding else { return }
        let reason = "rule \(rule.name): \(text)"
        switch rule.deed {
        case .mark: break
        case .hold: beginHold(rule)
        case .pause: if journal.state.status == .running { _ = try await pause(reason: reason) }
        case .cancel:
            for (id, job) in live where job.invocation == .action { Task { try? await cancel(id, until: job.end) } }
        case .abort:
            Task {
                do {
                    _ = try await abort(reason: reason)
                    onOver?()
                } catch { noticeFailure(error) }
            }
        }
    }

    private func end(_ rule: Rule, _ since: Int64, _ time: Int64, _ text: String) async throws {
        ruleHolds[rule.name] = nil
        try await journal.append(.ruleFired, fired(rule, "end", at: time, values: text))
        if rule.deed == .mark { try await markInterval(rule, since, time) }
        openGate()
    }

    private func markInterval(_ rule: Rule, _ since: Int64, _ time: Int64) async throws {
        try await journal.append(
            .intervalMarked,
            [
                "rule": .string(rule.name), "from": .string(Clock.iso8601(microseconds: since)),
                "to": .string(Clock.iso8601(microseconds: time)), "note": rule.note.map { .string($0) },
            ])
    }

    private func fired(_ rule: Rule, _ phase: String, at time: Int64, values: String?) -> JSONObject {
        [
            "rule": .string(rule.name), "do": .string(rule.deed.rawValue), "phase": .string(phase),
            "at": .string(Clock.iso8601(microseconds: time)), "values": values.map { .string($0) },
            "note": rule.note.map { .string($0) },
        ]
    }

    /// Marks that are open when the run ends, end with it.
    func closeMarks() async throws {
        let now = Clock.wallMicroseconds()
        for watch in watches {
            guard case .active(let since) = watch.phase, watch.rule.deed == .mark else { continue }
            try await markInterval(watch.rule, since, max(since, now))
        }
        watches = []
    }

    // MARK: Holds

    /// What those who wait for their turn are told; nil while nothing holds them.
    var holding: String? {
        ruleHolds.sorted { $0.key < $1.key }.first.map { $0.value.text(ruleValues) }
    }

    private func beginHold(_ rule: Rule) {
        ruleHolds[rule.name] = RuleHold(rule: rule)
        guard !isTickingHolds else { return }
        isTickingHolds = true
        Task {
            while !ruleHolds.isEmpty, !isEnding {
                try? await Task.sleep(for: .seconds(1))
                for hold in ruleHolds.values where hold.isTooLong {
                    do { try await release(hold.rule, reason: "max_hold") } catch { noticeFailure(error) }
                }
                // Those who wait look again, and tell how it stands.
                openGate()
            }
            isTickingHolds = false
        }
    }

    private func release(_ rule: Rule, reason: String) async throws {
        ruleHolds[rule.name] = nil
        var data = fired(rule, "released", at: Clock.wallMicroseconds(), values: nil)
        data["reason"] = .string(reason)
        try await journal.append(.ruleFired, data)
        openGate()
    }

    /// Lets the next action begin although a rule holds it. The rule counts again once its condition has ended.
    func releaseHolds(reason: String) async throws -> JSON {
        try requireActive()
        let rules = ruleHolds.values.map(\.rule)
        if rules.isEmpty { throw ECRFailure(.usage, "no rule holds anything", hint: "ecr run status") }
        for rule in rules { try await release(rule, reason: reason) }
        return ["released": JSON(strings: rules.map(\.name).sorted())]
    }

    /// For `status`.
    var ruleStatus: JSON {
        .array(
            watches.map { watch in
                let since: String? =
                    if case .active(let since) = watch.phase { Clock.iso8601(microseconds: since) } else { nil }
                return [
                    "rule": .string(watch.rule.name), "do": .string(watch.rule.deed.rawValue),
                    "active_since": since.map { .string($0) }, "holds": .bool(ruleHolds[watch.rule.name] != nil),
                    "note": watch.rule.note.map { .string($0) },
                ]
            })
    }
}
