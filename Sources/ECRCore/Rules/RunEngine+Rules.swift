import EventLog
import JSON
import LinuxSystem
import Profiles
import RunStore

/// Rules on the numbers of collectors and of actions that run. Samples are judged at once and in their order; what follows
/// from them is recorded one after the other.
extension RunEngine {
    /// Something that a rule asks for.
    struct RuleStep: Sendable {
        let rule: Rule
        let change: RuleWatch.Change
        /// What the condition was about, with its numbers; nil where they did not decide.
        let text: String?
        /// Why it has ended otherwise.
        let reason: String?
    }

    /// Takes up what an earlier supervisor knew.
    func restoreRules() {
        let active = journal.state.rules.active
        watches = profile.rules.map { rule in
            guard let begin = active[rule.name], let since = Clock.microseconds(iso8601: begin.since) else {
                return RuleWatch(rule)
            }
            if rule.deed == .hold, !begin.isReleased {
                let age = Clock.microseconds(iso8601: begin.begun).map { Clock.wallMicroseconds() - $0 } ?? 0
                beginHold(rule, heldFor: max(0, age) * 1000)
            }
            return RuleWatch(rule, activeSince: since)
        }
    }

    /// Ends rules on metrics whose actions have ended when nobody was there.
    func endRulesOfEndedActions() {
        let running = Set(journal.state.openJobs.map(\.name))
        for action in Set(profile.rules.flatMap(\.actions)) where !running.contains(action) {
            endRules(about: .action(action), because: "action \(action) has ended")
        }
    }

    /// The metrics of an action that rules look at while it runs.
    func watchedMetrics(of action: String) -> Set<String> {
        Set(profile.rules.flatMap(\.fields).filter { $0.owner == .action(action) }.map(\.name))
    }

    func take(_ samples: [SampleValues]) { for sample in samples { take(sample) } }

    /// Judges a sample.
    func take(_ sample: SampleValues) {
        guard watches.contains(where: { $0.isAbout(sample.owner) }) else { return }
        if sample.isWhole {
            ruleValues = ruleValues.filter { $0.key.owner != sample.owner || sample.fields[$0.key.name] != nil }
        }
        for (name, value) in sample.fields {
            let field = RuleCondition.Field(sample.owner, name)
            ruleValues[field] = value
            heard[field] = Clock.boottimeNanoseconds()
        }
        for index in watches.indices where watches[index].isAbout(sample.owner) {
            guard let change = watches[index].take(ruleValues, at: sample.time) else { continue }
            let rule = watches[index].rule
            let text: String
            if case .ended = change, let until = rule.until {
                text = until.shown(ruleValues, isNegated: false)
            } else {
                text = rule.when.shown(ruleValues, isNegated: { if case .ended = change { true } else { false } }())
            }
            ruleSteps.append(RuleStep(rule: rule, change: change, text: text, reason: nil))
        }
        carryOutSteps()
    }

    /// Forgets numbers that nobody tells any more, and ends the rules that were about them.
    func endRules(about owner: RuleCondition.Owner, because reason: String) {
        ruleValues = ruleValues.filter { $0.key.owner != owner }
        for index in watches.indices where watches[index].isAbout(owner) {
            guard let change = watches[index].reset(at: Clock.wallMicroseconds()) else { continue }
            ruleSteps.append(RuleStep(rule: watches[index].rule, change: change, text: nil, reason: reason))
        }
        carryOutSteps()
    }

    /// Only what is recorded at once is waited for: a deed may last as long as the link is lost.
    private func carryOutSteps() {
        guard !ruleSteps.isEmpty, ruling == nil else { return }
        ruling = Task {
            while !ruleSteps.isEmpty {
                let step = ruleSteps.removeFirst()
                do { try await carryOut(step) } catch { noticeFailure(error) }
            }
            ruling = nil
        }
    }

    private func carryOut(_ step: RuleStep) async throws {
        let rule = step.rule
        switch step.change {
        case .began(let since):
            try await journal.append(.ruleFired, fired(rule, "begin", at: since, values: step.text))
            act(on: rule, reason: "rule \(rule.name): \(step.text ?? rule.when.text)")
        case .ended(let since, let time):
            ruleHolds[rule.name] = nil
            try await journal.append(
                .ruleFired, fired(rule, "end", at: time, values: step.text, reason: step.reason))
            if rule.deed == .mark {
                try await journal.append(
                    .intervalMarked,
                    [
                        "rule": .string(rule.name), "from": .string(Clock.iso8601(microseconds: since)),
                        "to": .string(Clock.iso8601(microseconds: time)), "note": rule.note.map { .string($0) },
                    ])
            }
            openGate()
        }
    }

    private func act(on rule: Rule, reason: String) {
        // Also of an end that waits for what runs.
        if rule.deed == .cancel { return cancelJobs(by: rule, reason: reason) }
        guard !isEnding else { return }
        switch rule.deed {
        case .mark, .cancel: break
        case .hold: beginHold(rule)
        case .pause:
            guard journal.state.status == .running else { return }
            Task { do { _ = try await pause(reason: reason) } catch { noticeFailure(error) } }
        case .abort:
            for job in live.values { job.cancellation.set(reason) }
            Task {
                do {
                    _ = try await abort(reason: reason)
                    onOver?()
                } catch { noticeFailure(error) }
            }
        }
    }

    /// Cancels the actions whose metrics the rule is about; all actions where it is about none.
    private func cancelJobs(by rule: Rule, reason: String) {
        let meant = Set(rule.actions)
        for (id, job) in live where job.invocation != .exec {
            guard meant.isEmpty ? job.invocation == .action : meant.contains(job.name) else { continue }
            // It has ended: its files are what is left of it.
            if job.transfer.isPulling { continue }
            job.cancellation.set(reason)
            Task { try? await cancel(id, until: job.end) }
        }
    }

    private func fired(
        _ rule: Rule, _ phase: String, at time: Int64, values: String? = nil, reason: String? = nil
    ) -> JSONObject {
        [
            "rule": .string(rule.name), "do": .string(rule.deed.rawValue), "phase": .string(phase),
            "at": .string(Clock.iso8601(microseconds: time)), "values": values.map { .string($0) },
            "reason": reason.map { .string($0) }, "note": rule.note.map { .string($0) },
        ]
    }

    /// Marks that are open when the run ends, end with it.
    /// - Parameter time: of that end; nil for now.
    func closeMarks(at time: String? = nil) async throws {
        await ruling?.value
        let time = time ?? Clock.iso8601(microseconds: Clock.wallMicroseconds())
        for data in journal.state.rules.closingMarks(at: time) { try await journal.append(.intervalMarked, data) }
        // Where the end fails and the run goes on, they begin anew.
        for index in watches.indices where watches[index].rule.deed == .mark { _ = watches[index].reset(at: 0) }
    }

    // MARK: Holds

    /// What those who wait for their turn are told; nil while nothing holds them.
    var holding: String? {
        ruleHolds.sorted { $0.key < $1.key }.first.map { $0.value.text(ruleValues) }
    }

    private func beginHold(_ rule: Rule, heldFor nanoseconds: Int64 = 0) {
        ruleHolds[rule.name] = RuleHold(rule, heldFor: nanoseconds)
        keepHolds()
    }

    /// Looks after the holds once a second, as long as there are any.
    func keepHolds() {
        guard !isTickingHolds, !ruleHolds.isEmpty else { return }
        isTickingHolds = true
        Task {
            while !ruleHolds.isEmpty, !isEnding {
                try? await Task.sleep(for: .seconds(1))
                for hold in ruleHolds.values where hold.isTooLong {
                    do { try await release(hold.rule, reason: "max_hold") } catch { noticeFailure(error) }
                }
                do { try await lookForSilence() } catch { noticeFailure(error) }
                // Those who wait look again, and tell how it stands.
                openGate()
            }
            isTickingHolds = false
        }
    }

    /// A hold whose numbers do not come any more never ends by itself: that is told, and left to the operator.
    private func lookForSilence() async throws {
        let isConnected = await link.isConnected
        for (name, hold) in ruleHolds {
            let silent = hold.fields.lazy.compactMap { field in
                self.silence(of: field, hold, isConnected).map { (field, $0) }
            }.first
            let isNews = hold.silent == nil && silent != nil
            ruleHolds[name]?.silent = silent
            guard isNews, let silent else { continue }
            try await journal.append(
                .ruleFired,
                fired(
                    hold.rule, "silent", at: Clock.wallMicroseconds(),
                    reason: "no value of \(silent.0.text) comes any more, so the hold does not end by itself"))
        }
    }

    /// Since when nothing has come of a field, where that is longer than usual; nil otherwise.
    private func silence(of field: RuleCondition.Field, _ hold: RuleHold, _ isConnected: Bool) -> Int64? {
        let name = field.owner.name
        guard let collector = profile.collector(named: name) else { return nil }
        let last = max(heard[field] ?? 0, hold.seen)
        let seconds = Double(Clock.boottimeNanoseconds() - last) / 1e9
        let isStopped = collectors[name] == nil && restarts[name]?.pending == nil
        if isStopped { return seconds > Self.shortestSilence ? last : nil }
        // What the target has taken meanwhile comes with the link.
        guard isConnected else { return nil }
        let usual = collector.interval.map { $0 * Self.missedIntervals } ?? Self.longestOfStream
        return seconds > max(usual, Self.shortestSilence) ? last : nil
    }

    /// Seconds. Origin: samples are fetched once a second, and a loaded target is late by two.
    private static let shortestSilence = 5.0
    /// Origin: one that is late, and one that failed, are no silence.
    private static let missedIntervals = 3.0
    /// Seconds. Origin: nobody knows how often a stream tells something; a minute is the longest usual interval.
    private static let longestOfStream = 60.0

    private func release(_ rule: Rule, reason: String) async throws {
        ruleHolds[rule.name] = nil
        try await journal.append(.ruleFired, fired(rule, "released", at: Clock.wallMicroseconds(), reason: reason))
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
                    "released": .bool(journal.state.rules.active[watch.rule.name]?.isReleased ?? false),
                    "note": watch.rule.note.map { .string($0) },
                ]
            })
    }
}
