import EventLog
import Hashing
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// Runs one collector: its sampler is a job on the target, its samples come into the record while it runs.
struct CollectorRunner {
    let journal: Journal
    let link: TargetLink
    let collector: Collector
    let prepared: PreparedCollector
    let job: String
    let spool: String
    /// Is told of the numbers of each sample once it is on record.
    let onValues: @Sendable (SampleValues) async -> Void

    /// Records the start and samples until the job is stopped or ends by itself.
    func run() async throws {
        let target = try await link.target()
        let interval = collector.interval.map { Sampler.possible($0, tools: target.facts.tools) }
        try await journal.append(
            .collectorStarted,
            [
                "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
                "kind": .string(kind), "command": .string(prepared.command),
                "interval_s": interval.map { .double($0) }, "fields": collector.parse?.fields.json,
                "spool": .string(spool), "target_boot": .string(target.facts.boot),
            ])
        if let interval, let wanted = collector.interval, interval != wanted {
            journal.post(
                .collectorError,
                [
                    "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
                    "reason": .string(
                        "the target's sleep cannot do \(wanted) s: it is sampled every \(interval) s"),
                ])
        }
        if let wanted = collector.timeout, SampleTimeout(wanted, tools: target.facts.tools) == nil {
            journal.post(
                .collectorError,
                [
                    "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
                    "reason": .string(
                        "its timeout of \(JSON.double(wanted).text) s is not kept: the target has neither setsid nor timeout"
                    ),
                ])
        }
        try await observe(boot: target.facts.boot, recorded: nil, isNew: true)
    }

    /// Goes on with a job that was on record as running.
    func resume(_ state: JobState) async throws {
        try await observe(boot: state.boot ?? "", recorded: state, isNew: false)
    }

    private func sampler(_ token: String, _ tools: Set<String>) -> Sampler {
        switch collector.kind {
        case .command(_, let interval, let timeout):
            return .interval(
                command: prepared.command, interval: Sampler.possible(interval, tools: tools),
                timeout: timeout.flatMap { SampleTimeout($0, tools: tools) }, limit: collector.maxSampleBytes,
                token: token, tools: tools)
        case .stream: return .stream(command: prepared.command, limit: collector.maxSampleBytes, token: token)
        case .builtin(let sampler, let interval):
            switch sampler.program {
            case .shell(let program):
                return .builtin(
                    program: program, interval: Sampler.possible(interval, tools: tools), token: token, tools: tools)
            case .stream:
                return .stream(
                    command: sampler.command(every: interval), limit: collector.maxSampleBytes, token: token)
            }
        }
    }

    private var kind: String { isStream ? "stream" : "interval" }

    private func observe(boot: String, recorded: JobState?, isNew: Bool) async throws {
        let target = try await link.target()
        // The same for the same job, so that a reattach knows it; the spool's random name makes it unguessable.
        let token = "#ecr-" + SHA256.hexDigest(of: Array("\(spool)/\(job)".utf8)).prefix(16)
        let sampler = sampler(token, target.facts.tools)
        let request = JobRequest(
            job: job, spool: spool, commands: sampler.commands,
            environment: prepared.environment + [("ECR_RUN", journal.directory.id), ("ECR_JOB", job)])
        let earlier = journal.state.jobs(ofCollector: collector.name).prefix { $0.id != job }
        let recorder = try SampleRecorder(
            journal: journal, collector: collector,
            timeout: collector.timeout.flatMap { SampleTimeout($0, tools: target.facts.tools) }, job: job, boot: boot,
            token: token, earlier: Array(earlier), recorded: recorded, onValues: onValues)
        var observer = JobObserver(
            journal: journal, link: link, feed: JobFeed(), request: request, boot: boot, pace: .sampled,
            streams: [recorder])
        let verdict = try await observer.run(isNew: isNew)
        try await recordEnd(verdict, bytes: observer.recordedBytes("stdout"))
    }

    private func recordEnd(_ verdict: JobVerdict, bytes: Int64) async throws {
        var data: JSONObject = [
            "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
            "bytes": .int(bytes),
        ]
        switch verdict {
        case .ended(let record):
            try await recordGap(at: record, bytes: bytes)
            data["outcome"] = "stopped"
            data["exit"] = .int(record.status)
            data["started_target"] = .double(record.started)
            data["ended_target"] = .double(record.ended)
            data["duration_s"] = .double(((record.ended - record.started) * 100).rounded() / 100)
            if record.reason != .cancel {
                let reason = reason(record.status)
                data["reason"] = .string(reason)
                reportEnd(record.status, reason)
            }
        case .unknown(let reason):
            data["outcome"] = "unknown"
            data["reason"] = .string(reason)
        case .notStarted(let refusal):
            data["outcome"] = "stopped"
            data["reason"] = .string(refusal.reason)
        }
        try await journal.append(.collectorStopped, data)
    }

    private func reason(_ status: Int64) -> String {
        switch status {
        case 0: "the command ended by itself"
        case Self.brokenPipe where isStream:
            "killed by signal 13: its output was read no more, as where a line never ends"
        case JobState.notFound where isStream: "command not found (exit 127)"
        case (JobState.lastOwnStatus + 1)...: "killed by signal \(status - JobState.lastOwnStatus)"
        default: "the command ended by itself (exit \(status))"
        }
    }

    /// SIGPIPE: see `Sampler.stream`.
    private static let brokenPipe = JobState.lastOwnStatus + 13

    /// A command that does not exist is reported once, however often it is looked for.
    private func reportEnd(_ status: Int64, _ reason: String) {
        let earlier = journal.state.jobs(ofCollector: collector.name).prefix { $0.id != job }
        if status == JobState.notFound, earlier.contains(where: { $0.exit == status }) { return }
        journal.post(
            .collectorError,
            [
                "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
                "reason": .string(reason), "exit": .int(status),
            ])
    }

    private var isStream: Bool { collector.interval == nil }

    /// Where the sampler died, the gap ends later than its job: see `CollectorGap.behind`.
    private func recordGap(at record: ExitRecord, bytes: Int64) async throws {
        let isDeath = JobState.isDeath(record.status, ofStream: isStream)
        guard record.reason == .cancel || !isDeath, let state = journal.state.job(job) else { return }
        let time = journal.state.clock(ofBoot: state.boot ?? "")?.time(atUptime: record.ended)
        let gap = CollectorGap(
            atEndOf: state, lostBytes: record.stdoutBytes - bytes, uptime: record.ended,
            time: time ?? Clock.iso8601(microseconds: Clock.wallMicroseconds()), interval: collector.interval)
        if let gap { try await journal.append(.collectorGap, gap.data) }
    }
}

extension [SampleField] {
    fileprivate var json: JSON {
        .array(
            map { field in
                [
                    "name": .string(field.name), "unit": field.unit.map { .string($0) },
                    "type": field.kind.map { .string($0.rawValue) },
                ]
            })
    }
}
