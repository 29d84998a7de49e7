import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// The target was rebooted since the job was admitted: it must be set up again first.
struct RebootedBeforeLaunch: Error {}

/// Runs one job of an action or an ad hoc command from its intent to its terminal event.
struct ActionRunner {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker

    /// Records the intent, launches, observes, pulls artifacts, records the end.
    /// - Parameter boot: the boot of the target under which it may be launched; nil for whichever there is.
    /// - Throws: `RebootedBeforeLaunch`, with nothing on record.
    func run(_ spec: JobSpec, job: String, spool: String, boot: String?) async throws -> JobEnd {
        let target = try await link.target()
        if let boot, boot != target.facts.boot { throw RebootedBeforeLaunch() }
        let request = JobRequest(
            job: job, spool: spool, commands: spec.commands, environment: environment(spec, job),
            workdir: spec.workdir, timeout: spec.timeout, silence: spec.silence)
        var parameters = JSONObject()
        for (name, value) in spec.parameters { parameters[name] = .string(value) }
        try await journal.append(
            .actionStarted,
            [
                "target": .string(RunEngine.targetName), "stage": spec.stage.map { .string($0) },
                "action": .string(spec.name), "job": .string(job), "invocation": .string(spec.invocation.rawValue),
                "attempt": JSON(spec.attempt),
                "parameters": .object(parameters), "commands": JSON(strings: spec.commands),
                "timeout_s": spec.timeout.map { .double($0) },
                "stop_if_unreachable_s": spec.silence.map { .double($0) }, "workdir": spec.workdir.map { .string($0) },
                "artifacts": spec.artifacts.isEmpty ? nil : JSON(strings: spec.artifacts.map(\.pattern)),
                "spool": .string(spool), "target_boot": .string(target.facts.boot),
            ])
        let observer = try observer(of: request, boot: target.facts.boot, nil)
        return try await finish(spec, observer, RecordedSteps(), isNew: true)
    }

    /// Goes on with a job that was on record as running.
    /// - Parameter steps: what its earlier supervisor has recorded.
    func resume(_ spec: JobSpec, _ state: JobState, _ steps: RecordedSteps, spool: String) async throws -> JobEnd {
        let request = JobRequest(
            job: state.id, spool: spool, commands: spec.commands, environment: environment(spec, state.id),
            workdir: spec.workdir, timeout: spec.timeout, silence: spec.silence)
        // Intent without claim is launched by the observer, if spool and boot are the same.
        let observer = try observer(of: request, boot: state.boot ?? "", state)
        return try await finish(spec, observer, steps, isNew: false)
    }

    private func observer(of request: JobRequest, boot: String, _ state: JobState?) throws -> JobObserver {
        let streams = try [("stdout", state?.stdoutBytes), ("stderr", state?.stderrBytes)].map { stream, recorded in
            try OutputRecorder(
                journal: journal, target: RunEngine.targetName, job: request.job, stream: stream,
                recorded: recorded ?? 0)
        }
        return JobObserver(
            journal: journal, link: link, feed: feed, request: request, boot: boot, pace: .watched, streams: streams)
    }

    private func environment(_ spec: JobSpec, _ job: String) -> [(name: String, value: String)] {
        spec.environment + [
            ("ECR_RUN", journal.directory.id), ("ECR_ACTION", spec.name), ("ECR_JOB", job),
        ]
    }

    private func finish(
        _ spec: JobSpec, _ observer: JobObserver, _ steps: RecordedSteps, isNew: Bool
    ) async throws -> JobEnd {
        var observer = observer
        let (link, spool) = (link, observer.request.spool)
        let contact = spec.silence == nil ? nil : Task { await link.keepContact(in: spool) }
        defer { contact?.cancel() }
        let verdict = try await observer.run(isNew: isNew)
        let job = observer.request.job
        guard case .ended(let record) = verdict else {
            guard case .unknown(let reason) = verdict else { fatalError("a verdict is one of two") }
            var data = terminalData(spec, observer, reason: reason)
            data["last_seen"] = observer.lastSeen.map { .string($0) }
            try await journal.append(.actionUnknown, data)
            var end = JobEnd(job: job, name: spec.name, outcome: .unknown)
            end.reason = reason
            return end
        }
        try await recordCommands(spec, record, job, observer.request.spool, steps)
        let step = ArtifactStep(
            journal: journal, link: link, feed: feed, worker: worker, request: observer.request)
        let artifacts = try await step.run(spec.artifacts, hasFiles: record.hasFiles, steps)
        var end = end(of: record, job, spec.name, isArtifactFailure: artifacts.isFailure)
        end.artifacts = artifacts.pulled
        end.warnings = artifacts.warnings
        if record.death == .unconfirmed { end.warnings.append("the death of the job's processes is not confirmed") }
        var data = terminalData(spec, observer, reason: end.reason)
        data["exit"] = .int(record.status)
        data["started_target"] = .double(record.started)
        data["ended_target"] = .double(record.ended)
        data["duration_s"] = .double(round(record.duration))
        if record.death != .notAsked { data["death"] = .string(record.death.rawValue) }
        if !end.warnings.isEmpty { data["warnings"] = JSON(strings: end.warnings) }
        try await journal.append(type(of: end.outcome), data)
        Task { try await link.target().prepareFolder(following: job, in: spool) }
        return end
    }

    private func type(of outcome: JobState.Outcome) -> EventType {
        switch outcome {
        case .completed: .actionCompleted
        case .cancelled: .actionCancelled
        default: .actionFailed
        }
    }

    private func end(of record: ExitRecord, _ job: String, _ name: String, isArtifactFailure: Bool) -> JobEnd {
        let outcome: JobState.Outcome
        var reason: String?
        switch record.reason {
        case .cancel: (outcome, reason) = (.cancelled, "cancelled")
        case .timeout: (outcome, reason) = (.failed, "timeout")
        case .unreachable: (outcome, reason) = (.failed, "unreachable")
        case .sudo: (outcome, reason) = (.failed, "sudo")
        case .exit where record.status != 0: (outcome, reason) = (.failed, "exit")
        case .exit where isArtifactFailure: (outcome, reason) = (.failed, "artifact")
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

    private func terminalData(_ spec: JobSpec, _ observer: JobObserver, reason: String?) -> JSONObject {
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
