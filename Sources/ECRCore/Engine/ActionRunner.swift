import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// The target was rebooted since the job was admitted: it must be set up again first.
struct RebootedBeforeLaunch: Error {}

/// Runs one job of an action or an ad hoc command from its intent to its terminal event.
struct ActionRunner {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker
    let lanes: UploadLanes
    let policy: PullPolicy
    /// The metrics that rules look at while it runs.
    let watched: Set<String>
    /// Is told of their numbers once the line is on record.
    let onValues: @Sendable ([SampleValues]) async -> Void
    let transfer = JobTransfer()
    let cancellation = JobCancellation()
    /// What an operator should know of the files that were sent for it.
    private let uploadWarnings = Locked<[String]>([])

    /// Records the intent, uploads, launches, observes, pulls artifacts, records the end.
    /// - Parameter boot: the boot of the target under which it may be launched; nil for whichever there is.
    /// - Throws: `RebootedBeforeLaunch`, or `.usage` where the server allows no channel for it, with nothing on record.
    func run(_ spec: JobSpec, job: String, spool: String, boot: String?) async throws -> JobEnd {
        let target = try await link.target()
        if let boot, boot != target.facts.boot { throw RebootedBeforeLaunch() }
        let request = JobRequest(
            job: job, spool: spool, commands: spec.commands, environment: environment(spec, job),
            workdir: spec.workdir, timeout: spec.timeout, silence: spec.silence, root: spec.root)
        guard spec.isAttached else {
            try await recordStart(spec, request, target)
            let observer = try observer(of: request, spec, boot: target.facts.boot, nil)
            return try await finish(spec, observer, RecordedSteps(), isNew: true)
        }
        let channel = try await openChannel(for: spec, on: target)
        do {
            try await recordStart(spec, request, target)
            let observer = AttachedObserver(
                link: link, feed: feed, request: request, channel: channel, target: target,
                streams: try recorders(spec, job, nil))
            if let refusal = try await uploadAttached(spec, request, target) {
                await channel.close()
                return try await recordRefusal(spec, observer, refusal)
            }
            return try await finish(spec, observer, RecordedSteps(), isNew: true)
        } catch {
            await channel.close()
            throw error
        }
    }

    /// The intent: it is on disk before the target is told.
    private func recordStart(_ spec: JobSpec, _ request: JobRequest, _ target: Target) async throws {
        let mask = journal.secrets.mask
        let isMasked = spec.commands.contains { mask.masked($0) != $0 }
        var parameters = JSONObject()
        for (name, value) in spec.parameters { parameters[name] = .string(value) }
        try await journal.append(
            .actionStarted,
            [
                "target": .string(RunEngine.targetName), "stage": spec.stage.map { .string($0) },
                "action": .string(spec.name), "job": .string(request.job),
                "invocation": .string(spec.invocation.rawValue), "attempt": JSON(spec.attempt),
                "parameters": .object(parameters), "commands": JSON(strings: spec.commands),
                "masked": isMasked ? true : nil, "sudo": spec.isRoot ? true : nil,
                "attached": spec.isAttached ? true : nil,
                "timeout_s": spec.timeout.map { .double($0) },
                "stop_if_unreachable_s": spec.silence.map { .double($0) }, "workdir": spec.workdir.map { .string($0) },
                "uploads": spec.uploads.isEmpty
                    ? nil
                    : .array(spec.uploads.map { ["local": .string($0.from), "remote": .string($0.to)] }),
                "artifacts": spec.artifacts.isEmpty ? nil : JSON(strings: spec.artifacts.map(\.pattern)),
                "spool": .string(request.spool), "target_boot": .string(target.facts.boot),
            ])
    }

    private func openChannel(for spec: JobSpec, on target: Target) async throws -> AttachedJob {
        do { return try await AttachedJob.open(on: target) } catch {
            guard error.code == .channelRefused else { throw error }
            throw ECRFailure(
                .usage,
                "\(spec.name) has 'spool: false', which needs a channel of its own, and the server allows no further one: "
                    + error.message, hint: "remove `spool: false`, or raise MaxSessions in the target's sshd_config")
        }
    }

    /// Goes on with a job that was on record as running.
    /// - Parameter steps: what its earlier supervisor has recorded.
    func resume(_ spec: JobSpec, _ state: JobState, _ steps: RecordedSteps, spool: String) async throws -> JobEnd {
        var root: RootAccess?
        // One that was not launched yet is launched without a password, which nobody knows any more: sudo decides.
        if spec.isRoot, !(try await link.target()).isRoot { root = RootAccess(password: nil) }
        let request = JobRequest(
            job: state.id, spool: spool, commands: spec.commands, environment: environment(spec, state.id),
            workdir: spec.workdir, timeout: spec.timeout, silence: spec.silence, root: root)
        if state.isAttached {
            return try await finish(spec, LostAttachment(request: request, state: state), steps, isNew: false)
        }
        // Intent without claim is launched by the observer, if spool and boot are the same.
        let observer = try observer(of: request, spec, boot: state.boot ?? "", state)
        return try await finish(spec, observer, steps, isNew: false)
    }

    private func observer(
        of request: JobRequest, _ spec: JobSpec, boot: String, _ state: JobState?
    ) throws -> JobObserver {
        JobObserver(
            journal: journal, link: link, feed: feed, request: request, boot: boot, pace: .watched,
            mayRelaunch: !spec.isMasked, prepare: { try await upload(spec, request, isResumed: state != nil) },
            streams: try recorders(spec, request.job, state))
    }

    /// Brings what the commands need to the target.
    /// - Returns: why they must not run.
    private func upload(_ spec: JobSpec, _ request: JobRequest, isResumed: Bool) async throws -> JobRefusal? {
        if spec.uploads.isEmpty { return nil }
        let origin = UploadOrigin(
            user: UploadOrigin.User(job: request.job, action: spec.name, attempt: spec.attempt),
            workdir: request.workdir, owner: "\(journal.state.uuid) \(spec.name)", spool: request.spool,
            isResumed: isResumed || spec.attempt > 1)
        let step = UploadStep(
            journal: journal, link: link, feed: feed, worker: worker, lanes: lanes, origin: origin,
            method: policy.method)
        feed.tell(.phase(.uploading))
        defer { feed.tell(.phase(.running)) }
        do {
            let failures = try await transfer.run(.upload) {
                let result = try await step.run(spec.uploads.map { Upload($0) })
                uploadWarnings.withLock { $0 = result.uploaded.warnings }
                // Also where the last of them has its place: nothing may begin then.
                try Task.checkCancellation()
                return result.failures
            }
            return failures.isEmpty
                ? nil : JobRefusal(reason: "upload", warnings: failures.map(\.text) + uploadWarnings.withLock { $0 })
        } catch is CancellationError {
            return JobRefusal(reason: "cancelled")
        }
    }

    /// A job without a spool has nothing but the channel that was opened for it.
    private func uploadAttached(
        _ spec: JobSpec, _ request: JobRequest, _ target: Target
    ) async throws -> JobRefusal? {
        if spec.uploads.isEmpty { return nil }
        if let refusal = try await upload(spec, request, isResumed: false) { return refusal }
        if await target.session.isConnected { return nil }
        return JobRefusal(reason: "upload", warnings: ["the link was lost while files were sent: nothing was begun"])
    }

    private func recorders(_ spec: JobSpec, _ job: String, _ state: JobState?) throws -> [OutputRecorder] {
        try [("stdout", state?.stdoutBytes), ("stderr", state?.stderrBytes)].map { stream, recorded in
            let place = stream == "stdout" ? PreparedMetric.Place.stdout : .stderr
            let metrics = spec.metrics.filter { $0.place == place && watched.contains($0.metric.name) }
            return try OutputRecorder(
                journal: journal, target: RunEngine.targetName, job: job, stream: stream, recorded: recorded ?? 0,
                metrics: metrics.isEmpty ? nil : LiveMetrics(metrics, of: spec.name, onValues))
        }
    }

    private func environment(_ spec: JobSpec, _ job: String) -> [(name: String, value: String)] {
        spec.environment + [
            ("ECR_RUN", journal.directory.id), ("ECR_ACTION", spec.name), ("ECR_JOB", job),
        ]
    }

    private func finish(
        _ spec: JobSpec, _ observer: any JobObserving, _ steps: RecordedSteps, isNew: Bool
    ) async throws -> JobEnd {
        var observer = observer
        let (link, spool) = (link, observer.request.spool)
        let contact = spec.silence == nil ? nil : Task { await link.keepContact(in: spool) }
        defer { contact?.cancel() }
        let verdict = try await observer.run(isNew: isNew)
        let job = observer.request.job
        let record: ExitRecord
        switch verdict {
        case .ended(let ended) where ended.reason == .disk: return try await recordRefusal(spec, observer, .disk)
        case .ended(let ended): record = ended
        case .unknown(let reason): return try await recordUnknown(spec, observer, reason)
        case .notStarted(let refusal): return try await recordRefusal(spec, observer, refusal)
        }
        try await recordCommands(spec, record, job, observer.request.spool, steps)
        let artifacts = try await fetchArtifacts(of: spec, observer.request, hasFiles: record.hasFiles, steps)
        let metrics = try await MetricStep(journal: journal, worker: worker).run(
            spec.metrics, of: job, workdir: spec.workdir, steps.metrics)
        var end = end(
            of: record, job, spec.name,
            missing: artifacts.isFailure ? "artifact" : metrics.isFailure ? "metric" : nil)
        end.artifacts = artifacts.pulled
        end.warnings = uploadWarnings.withLock { $0 } + artifacts.warnings + metrics.warnings
        if record.death == .unconfirmed { end.warnings.append("the death of the job's processes is not confirmed") }
        var data = terminalData(spec, observer, reason: end.reason)
        data["exit"] = .int(record.status)
        data["started_target"] = .double(record.started)
        data["ended_target"] = .double(record.ended)
        data["duration_s"] = .double(round(record.duration))
        if record.death != .notAsked { data["death"] = .string(record.death.rawValue) }
        if !end.warnings.isEmpty { data["warnings"] = JSON(strings: end.warnings) }
        try await journal.append(type(of: end.outcome), data)
        end.metrics = journal.state.job(job)?.metrics
        Task { try await link.target().prepareFolder(following: job, in: spool) }
        return end
    }

    private func fetchArtifacts(
        of spec: JobSpec, _ request: JobRequest, hasFiles: Bool, _ steps: RecordedSteps
    ) async throws -> ArtifactStep.Result {
        let origin = PullOrigin(
            maker: PullOrigin.Maker(
                job: request.job, spool: request.spool, action: spec.name, attempt: spec.attempt,
                isRoot: request.root != nil),
            workdir: request.workdir)
        let step = ArtifactStep(
            journal: journal, link: link, feed: feed, worker: worker, origin: origin, policy: policy)
        let out = hasFiles ? SpoolFolder.output(of: request.job, in: request.spool) : nil
        feed.tell(.phase(.fetching))
        return try await transfer.run(.pull) { try await step.run(spec.artifacts, out: out, steps) }
    }

    private func recordUnknown(
        _ spec: JobSpec, _ observer: any JobObserving, _ reason: String
    ) async throws -> JobEnd {
        var data = terminalData(spec, observer, reason: reason)
        data["last_seen"] = observer.lastSeen.map { .string($0) }
        try await journal.append(.actionUnknown, data)
        var end = JobEnd(job: observer.request.job, name: spec.name, outcome: .unknown)
        end.reason = reason
        return end
    }

    /// A job that is known not to have begun has failed, or was cancelled; nothing about it is unknown.
    private func recordRefusal(
        _ spec: JobSpec, _ observer: any JobObserving, _ refusal: JobRefusal
    ) async throws -> JobEnd {
        let outcome: JobState.Outcome = refusal.reason == "cancelled" ? .cancelled : .failed
        let reason = outcome == .cancelled ? cancellation.reason : refusal.reason
        var data = terminalData(spec, observer, reason: reason)
        if !refusal.warnings.isEmpty { data["warnings"] = JSON(strings: refusal.warnings) }
        try await journal.append(type(of: outcome), data)
        var end = JobEnd(job: observer.request.job, name: spec.name, outcome: outcome)
        end.reason = reason
        end.warnings = refusal.warnings
        return end
    }

    private func type(of outcome: JobState.Outcome) -> EventType {
        switch outcome {
        case .completed: .actionCompleted
        case .cancelled: .actionCancelled
        default: .actionFailed
        }
    }

    /// - Parameter missing: what was required and is not there, as a reason.
    private func end(of record: ExitRecord, _ job: String, _ name: String, missing: String?) -> JobEnd {
        let outcome: JobState.Outcome
        var reason: String?
        switch record.reason {
        case .cancel: (outcome, reason) = (.cancelled, cancellation.reason)
        case .timeout: (outcome, reason) = (.failed, "timeout")
        case .unreachable: (outcome, reason) = (.failed, "unreachable")
        case .sudo, .disk: (outcome, reason) = (.failed, record.reason.rawValue)
        case .exit where record.status != 0: (outcome, reason) = (.failed, "exit")
        case .exit where missing != nil: (outcome, reason) = (.failed, missing)
        case .exit: outcome = .completed
        }
        var end = JobEnd(job: job, name: name, outcome: outcome)
        end.exit = record.status
        end.reason = reason
        end.duration = round(record.duration)
        return end
    }

    /// The target counts in hundredths of a second: more digits would only show the arithmetic.
    private func round(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }

    private func terminalData(_ spec: JobSpec, _ observer: any JobObserving, reason: String?) -> JSONObject {
        [
            "target": .string(RunEngine.targetName), "stage": spec.stage.map { .string($0) },
            "action": .string(spec.name), "job": .string(observer.request.job),
            "invocation": .string(spec.invocation.rawValue),
            "attempt": JSON(spec.attempt), "reason": reason.map { .string($0) },
            "stdout_bytes": .int(observer.recordedBytes("stdout")),
            "stderr_bytes": .int(observer.recordedBytes("stderr")),
        ]
    }

    /// The commands as the target's lines tell them. They are recorded together with the job's end.
    private func recordCommands(
        _ spec: JobSpec, _ record: ExitRecord, _ job: String, _ spool: String, _ steps: RecordedSteps
    ) async throws {
        if record.reason == .sudo { return }
        var lines = ["S 0 \(record.started)", "E 0 \(record.status) \(record.ended)"]
        if spec.commands.count > 1 {
            let target = try await link.target()
            lines = (try? await target.commandLines(of: job, in: spool)) ?? []
        }
        var begun: (index: Int, at: Double)?
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count >= 3, let index = Int(words[1]), spec.commands.indices.contains(index) else { continue }
            var data: JSONObject = [
                "target": .string(RunEngine.targetName), "job": .string(job), "index": JSON(index),
                "command": .string(spec.commands[index]),
            ]
            if words[0] == "S", let at = Double(words[2]) {
                begun = (index, at)
                data["started_target"] = .double(at)
                if !steps.has(.commandStarted, index: index) { journal.post(.commandStarted, data) }
            } else if words[0] == "E", words.count == 4, let status = Int64(words[2]) {
                data["exit"] = .int(status)
                if let begun, begun.index == index { data["started_target"] = .double(begun.at) }
                data["ended_target"] = Double(words[3]).map { .double($0) }
                let type: EventType = status == 0 ? .commandCompleted : .commandFailed
                if !steps.has(type, index: index) { journal.post(type, data) }
            }
        }
    }
}
