import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH
import YAML

/// Actions and ad hoc commands.
extension RunEngine {
    /// What a client that waits for a job hears: the job's id first, then its output.
    typealias Listener = @Sendable (_ job: String, JobNews) -> Void

    /// An action with its parameters in place.
    struct Plan {
        let action: Action
        let values: ParameterValues
        let prepared: PreparedAction
    }

    /// Runs an action with its retries, when its turn has come, and returns how the last attempt ended.
    /// - Parameters:
    ///   - wait: false refuses instead of waiting for another action's end.
    ///   - whenGone: how the client's departure is noticed, which withdraws an action that has not begun.
    func runAction(
        _ name: String, given: [(String, String)], wait: Bool = true, whenGone: Departure? = nil,
        listener: @escaping Listener
    ) async throws -> JobEnd {
        let plan = try plan(name, given: given)
        try requireReady()
        try await requireFiles(of: [plan])
        try await takeTurn(for: name, wait: wait, whenGone, listener)
        do { try await passHolds(name, whenGone, listener) } catch {
            giveTurn()
            throw error
        }
        // From here on the action is the engine's: a client that goes away does not end it.
        return try await Task {
            defer { giveTurn() }
            return try await perform(plan, .action, stage: nil, listener)
        }.value
    }

    /// Runs an action that the profile asks for, not the operator.
    func runUnasked(
        _ name: String, _ invocation: JobSpec.Invocation, listener: @escaping Listener
    ) async throws -> JobEnd {
        let plan = try plan(name, given: [])
        try await takeTurn(for: name, wait: true, nil, listener)
        defer { giveTurn() }
        return try await perform(plan, invocation, stage: nil, listener)
    }

    func plan(_ name: String, given: [(String, String)]) throws -> Plan {
        guard let action = profile.action(named: name) else { throw unknownAction(name) }
        try refuseSecrets(in: given)
        return plan(action, try profile.parameters(for: action, given: given, standing: standingParameters))
    }

    func plan(_ action: Action, _ values: ParameterValues) -> Plan {
        Plan(
            action: action, values: values,
            prepared: profile.prepare(action, with: values, secrets: secrets.byVariable))
    }

    /// Runs a planned action with its retries; the turn is the caller's.
    func perform(
        _ plan: Plan, _ invocation: JobSpec.Invocation, stage: String?, _ listener: @escaping Listener
    ) async throws -> JobEnd {
        let end = try await perform(spec(plan, invocation, stage, attempt: 1), listener)
        return try await retry(end, attempt: 1, plan, invocation, stage, listener)
    }

    /// Makes further attempts, as far as the action allows them.
    /// - Parameter attempt: the number of the one that has ended.
    private func retry(
        _ end: JobEnd, attempt: Int, _ plan: Plan, _ invocation: JobSpec.Invocation, _ stage: String?,
        _ listener: @escaping Listener
    ) async throws -> JobEnd {
        var (end, attempt) = (end, attempt)
        while attempt <= plan.action.retries, mayRetry(end, plan.action), !isEnding {
            attempt += 1
            try await journal.append(
                .actionRetry,
                [
                    "target": .string(Self.targetName), "stage": stage.map { .string($0) },
                    "action": .string(plan.action.name), "job": .string(end.job), "attempt": JSON(attempt),
                    "reason": .string(end.reason ?? end.outcome.rawValue),
                ])
            end = try await perform(spec(plan, invocation, stage, attempt: attempt), listener)
        }
        return end
    }

    private func spec(_ plan: Plan, _ invocation: JobSpec.Invocation, _ stage: String?, attempt: Int) -> JobSpec {
        JobSpec(
            name: plan.action.name, invocation: invocation, stage: stage, attempt: attempt,
            commands: plan.prepared.commands, environment: plan.prepared.environment,
            workdir: plan.prepared.workdir, timeout: plan.action.timeout, silence: plan.action.stopIfUnreachable,
            uploads: uploads(of: plan), artifacts: plan.prepared.artifacts, metrics: plan.prepared.metrics,
            parameters: plan.values.all, isRoot: plan.action.sudo, isAttached: !plan.action.spool)
    }

    /// Parameters are recorded, and what is recorded must count: a value with a mask in it would not be the one given.
    func refuseSecrets(in given: [(String, String)]) throws(ECRFailure) {
        let mask = journal.secrets.mask
        guard let name = given.first(where: { mask.masked($0.1) != $0.1 })?.0 else { return }
        throw ECRFailure(
            .usage, "the value of parameter '\(name)' holds a secret of this run, and parameters are recorded",
            hint: "use the variable of the profile's `env: {NAME: {secret: …}}` in the command")
    }

    /// Runs one attempt once it may begin: what the operator asks for waits for a pause and a recovery to end, what the
    /// profile asks for does not.
    private func perform(_ spec: JobSpec, _ listener: @escaping Listener) async throws -> JobEnd {
        while true {
            let isFree = spec.invocation == .setup || spec.invocation == .finally
            let target = isFree ? try await link.target() : try await passGate(spec.name, listener)
            var spec = spec
            if spec.isRoot {
                spec.root = try await rootAccess(for: "action \(spec.name)") { listener("", .progress($0)) }
            }
            if spec.invocation == .setup, isEnding { throw endingFailure(.usage) }
            do {
                let end = try await begin(spec, boot: target.facts.boot, listener).value
                if end.reason == SudoAccess.reason { await sudo.forget() }
                return end
            } catch is RebootedBeforeLaunch {}
        }
    }

    /// Runs a command that is in no profile, beside the actions.
    /// - Parameter isRoot: whether it runs under sudo.
    func exec(_ words: [String], isRoot: Bool, listener: @escaping Listener) async throws -> Task<JobEnd, any Error> {
        try requireRunning()
        guard let first = words.first, !first.isEmpty else {
            throw ECRFailure(.usage, "no command was given", hint: "ecr run exec -- uname -a")
        }
        let command = words.count == 1 ? first : words.map(shellWord).joined(separator: " ")
        var spec = JobSpec(
            name: "exec", invocation: .exec, commands: [command],
            environment: profile.environmentOfExec(secrets: secrets.byVariable), isRoot: isRoot)
        if isRoot { spec.root = try await rootAccess(for: "exec") { listener("", .progress($0)) } }
        return begin(spec, boot: nil, listener)
    }

    /// Starts one job in a task of the engine's own: a client that goes away does not end it.
    /// - Parameter boot: the boot of the target under which it may be launched; nil for whichever it finds.
    private func begin(_ spec: JobSpec, boot: String?, _ listener: @escaping Listener) -> Task<JobEnd, any Error> {
        let job = newJobID(spec.name)
        return watch(job, spec, listener) { runner, spool in
            try await runner.run(spec, job: job, spool: spool, boot: boot)
        }
    }

    /// Goes on with a job that an earlier supervisor had started. What it ran and which artifacts it owes are taken from
    /// its `action_started` event, not from the profile, which can't have changed but whose parameters are not known here.
    func resumeAction(_ state: JobState) throws {
        let steps = try RecordedSteps(of: state.id, in: journal.directory.events)
        guard let data = steps.started else { return }
        let invocation = JobSpec.Invocation(rawValue: data["invocation"]?.string ?? "") ?? .action
        var spec = JobSpec(
            name: state.name, invocation: invocation, stage: state.stage, attempt: state.attempt,
            commands: data["commands"]?.array?.compactMap(\.string) ?? [])
        spec.workdir = data["workdir"]?.string
        spec.timeout = data["timeout_s"]?.double
        spec.silence = data["stop_if_unreachable_s"]?.double
        for (name, value) in data["parameters"]?.object?.members ?? [] {
            spec.parameters.append((name, value.string ?? ""))
        }
        spec.uploads = (data["uploads"]?.array ?? []).map {
            PreparedUpload(from: $0["local"]?.string ?? "", to: $0["remote"]?.string ?? "")
        }
        spec.isRoot = data["sudo"]?.bool ?? false
        spec.isAttached = state.isAttached
        spec.isMasked = data["masked"]?.bool ?? false
        let plan = resumedPlan(spec)
        if let plan {
            spec.artifacts = plan.prepared.artifacts
            spec.metrics = plan.prepared.metrics
            spec.environment = plan.prepared.environment
        }
        let task = watch(state.id, spec, since: state.started, { _, _ in }) { [spec] runner, _ in
            try await runner.resume(spec, state, steps, spool: state.spool ?? "")
        }
        guard invocation != .exec else { return }
        turnHolder = state.name
        Task { [spec] in
            defer { giveTurn() }
            let end = try await task.value
            // A stage that was interrupted is over; its action is not begun again.
            if let plan, state.stage == nil {
                _ = try await retry(end, attempt: spec.attempt, plan, invocation, nil) { _, _ in }
            }
        }
    }

    /// The action of a job that is taken up again, with the values that it was started with.
    private func resumedPlan(_ spec: JobSpec) -> Plan? {
        guard spec.invocation != .exec, let action = profile.action(named: spec.name) else { return nil }
        let given = spec.parameters.map { ($0.name, $0.value) }
        return (try? profile.parameters(for: action, given: given, standing: [])).map { self.plan(action, $0) }
    }

    /// - Parameter since: when it was begun, by the controller's clock; nil for now.
    private func watch(
        _ job: String, _ spec: JobSpec, since: String? = nil, _ listener: @escaping Listener,
        _ body: @escaping @Sendable (ActionRunner, String) async throws -> JobEnd
    ) -> Task<JobEnd, any Error> {
        let feed = JobFeed()
        _ = feed.add { listener(job, $0) }
        let runner = ActionRunner(
            journal: journal, link: link, feed: feed, worker: worker, lanes: lanes,
            policy: pullPolicy, watched: watchedMetrics(of: spec.name),
            onValues: { await self.take($0) })
        let spool = spool
        let age = since.flatMap { Clock.microseconds(iso8601: $0) }.map { max(0, Clock.wallMicroseconds() - $0) } ?? 0
        let task = Task {
            do {
                let end = try await body(runner, spool)
                self.ended(job)
                if end.outcome == .unknown { Task { await self.repairSpoolIfLost() } }
                return end
            } catch {
                self.ended(job)
                self.noticeFailure(error)
                guard let error = error as? SSHError else { throw error }
                if self.isEnding {
                    throw ECRFailure(
                        .unknownOutcome, "the run was ended without its target, so the outcome of \(job) is unknown",
                        hint: "ecr run drain, then ecr run follow \(job)")
                }
                throw ECRFailure(
                    .unknownOutcome, "the link was given up, so the outcome of \(job) is unknown: \(error.message)",
                    hint: "ecr run resume, then ecr run follow \(job)")
            }
        }
        live[job] = LiveJob(
            name: spec.name, invocation: spec.invocation, feed: feed, transfer: runner.transfer,
            cancellation: runner.cancellation, began: Clock.boottimeNanoseconds() - age * 1000, end: task)
        listener(job, .begun)
        return task
    }

    private func ended(_ job: String) {
        guard let ended = live.removeValue(forKey: job), ended.invocation != .exec else { return }
        endRules(about: .action(ended.name), because: "\(job) has ended")
    }

    /// Shows a job's output from its beginning and waits for its end; without a name the one that runs, or the last.
    func follow(_ name: String?, listener: @escaping Listener) async throws -> JobEnd {
        let state = journal.state
        let candidates = state.jobs.filter { $0.kind != .collector }
        let found =
            name.map { name in candidates.last { $0.id == name || $0.name == name } }
            ?? candidates.last { $0.isAskedFor } ?? candidates.last
        guard let job = found else {
            let known = candidates.suffix(8).map { "  \($0.id)" }.joined(separator: "\n")
            let message = name.map { "no job '\($0)'" } ?? "no action has run yet"
            throw ECRFailure(.usage, known.isEmpty ? message : "\(message); the last jobs are\n\(known)")
        }
        let running = live[job.id]
        let number = running?.feed.add { listener(job.id, $0) }
        // What is going on comes first: whoever sees the output may interrupt.
        if let running { listener(job.id, .phase(running.transfer.phase)) }
        if let recorded = journal.state.job(job.id) {
            listener(job.id, .recorded(stream: "stdout", bytes: recorded.stdoutBytes))
            listener(job.id, .recorded(stream: "stderr", bytes: recorded.stderrBytes))
        }
        guard let running, let number else { return JobEnd(job) }
        defer { running.feed.remove(number) }
        return try await running.end.value
    }

    private func mayRetry(_ end: JobEnd, _ action: Action) -> Bool {
        switch end.outcome {
        case .failed: action.retryOn.contains(end.reason == "timeout" ? .timeout : .failed)
        case .unknown: action.retryOn.contains(.unknown)
        default: false
        }
    }

    private func unknownAction(_ name: String) -> ECRFailure {
        let hint = KnownNames(profile.actions.map(\.name)).hint(for: name, label: "the profile has")
        return ECRFailure(.usage, "no action '\(name)'; \(hint ?? "the profile has none")")
    }

    var standingParameters: [(String, String)] {
        journal.state.parameters.members.map { ($0.key, $0.value.string ?? "") }
    }
}
