import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// A time in which a collector should have sampled, and of which nothing is in the record.
struct CollectorGap: Equatable {
    let collector: String
    let job: String
    /// UTC by the controller's clock.
    let from: String
    let to: String
    let reason: String
    /// How many samples are missing, where that is known.
    var samples: Int64?
    /// Their numbers, where the sampler has given them some.
    var ticks: ClosedRange<Int64>?

    var data: JSONObject {
        [
            "target": .string(RunEngine.targetName), "collector": .string(collector), "job": .string(job),
            "from": .string(from), "to": .string(to), "reason": .string(reason),
            "samples": samples.map { .int($0) }, "first_tick": (ticks?.lowerBound).map { .int($0) },
            "last_tick": (ticks?.upperBound).map { .int($0) },
        ]
    }

    /// Ticks that a sampler has numbered and that are not in its spool.
    init(_ collector: String, _ job: String, lost ticks: ClosedRange<Int64>, from: String, to: String) {
        self.init(
            collector: collector, job: job, from: from, to: to, reason: "the target's spool does not have them",
            samples: ticks.upperBound - ticks.lowerBound + 1, ticks: ticks)
    }

    private init(
        collector: String, job: String, from: String, to: String, reason: String, samples: Int64?,
        ticks: ClosedRange<Int64>? = nil
    ) {
        self.collector = collector
        self.job = job
        self.from = from
        self.to = to
        self.reason = reason
        self.samples = samples
        self.ticks = ticks
    }
}

/// Gaps behind the last sample of a job.
extension CollectorGap {
    /// What ends such a gap.
    enum End {
        /// The next sample, or the start of a job that should have begun with one.
        case sample(at: String)
        /// Nothing: nobody has sampled until this moment.
        case nothing(until: String)

        var time: String {
            switch self {
            case .sample(let time), .nothing(let time): time
            }
        }
    }

    /// What a collector has missed behind jobs that came to an end nobody had asked for, as far as it is not on record.
    /// - Parameters:
    ///   - jobs: the collector's, in the order of their start.
    ///   - end: what follows the last of them.
    ///   - interval: in seconds, for jobs whose record does not tell it; nil for a stream.
    static func behind(_ jobs: [JobState], _ end: End, interval: Double?) -> [CollectorGap] {
        jobs.indices.compactMap { index in
            let next = index + 1 < jobs.count ? End.sample(at: jobs[index + 1].started) : end
            return CollectorGap(behind: jobs[index], next, interval: interval)
        }
    }

    private init?(behind job: JobState, _ end: End, interval: Double?) {
        let interval = job.sampling.interval ?? interval
        guard job.hasDied(isStream: interval == nil), !job.sampling.isTailRecorded,
            let began = Clock.microseconds(iso8601: job.lastSampleOrStart),
            let until = Clock.microseconds(iso8601: end.time), until > began
        else { return nil }
        var missing: Int64?
        if let interval {
            let ticks = Double(until - began) / 1e6 / interval
            let due = job.sampling.lastTime == nil ? 0.0 : 1.0
            switch end {
            case .sample: missing = Int64((ticks - due).rounded())
            case .nothing: missing = Int64((ticks - due).rounded(.down)) + 1
            }
            guard missing ?? 0 > 0 else { return nil }
        }
        self.init(
            collector: job.name, job: job.id, from: job.lastSampleOrStart, to: end.time,
            reason: job.reason ?? "its sampler ended", samples: missing)
    }

    /// What is missing at the end of a sampler that was stopped: bytes of its spool that are not there any more, or ticks
    /// that were due and are not in it.
    /// - Parameters:
    ///   - job: with all that is recorded of its output.
    ///   - uptime: the sampler's end, in seconds of the target's boottime clock.
    ///   - time: the same by the controller's clock.
    init?(atEndOf job: JobState, lostBytes: Int64, uptime: Double, time: String, interval: Double?) {
        let missing = (job.sampling.interval ?? interval).map { job.sampling.missing(at: uptime, interval: $0) } ?? 0
        guard lostBytes > 0 || missing > 0 else { return nil }
        var reason = "the target's spool does not have them"
        if job.sampling.unfinishedTick != nil { reason = "a sample had not ended" }
        if lostBytes > 0 { reason = "the target's spool has lost \(lostBytes) bytes" }
        self.init(
            collector: job.name, job: job.id, from: job.lastSampleOrStart, to: time, reason: reason,
            samples: missing > 0 ? missing : nil)
    }
}

extension SamplingState {
    /// How many ticks were due when the sampler ended and have not come.
    fileprivate func missing(at uptime: Double, interval: Double) -> Int64 {
        // A loaded target is late by a second or two, and its `sleep` may know whole seconds only.
        var patience = max(2, interval)
        let due: Double
        if unfinishedTick != nil {
            // One that takes no longer than others did is slow, not hung: its ticks would have been skipped.
            guard let since = unfinishedSince else { return 0 }
            (due, patience) = (since, max(patience, 2 * Double(longestSkip + 1) * interval))
        } else {
            guard let last = lastUptime, let tick = lastTick else { return 0 }
            due = last + Double(nextTick - tick) * interval
        }
        guard uptime - due > patience else { return 0 }
        let ticks = Int64(exactly: ((uptime - due) / interval).rounded(.down)) ?? 0
        return ticks + (unfinishedTick == nil ? 0 : 1)
    }
}

extension JobState {
    /// By the controller's clock.
    fileprivate var lastSampleOrStart: String { sampling.lastTime ?? started }

    /// Whether the sampler came to an end that nobody had asked for. A stream's command may well end by itself.
    func hasDied(isStream: Bool) -> Bool {
        switch outcome {
        case .unknown: true
        case .stopped: reason != nil && Self.isDeath(exit ?? 0, ofStream: isStream)
        default: false
        }
    }

    /// Whether a status with which a sampler ends by itself means that it cannot have been meant to.
    static func isDeath(_ status: Int64, ofStream isStream: Bool) -> Bool {
        !isStream || status > lastOwnStatus || status == notFound
    }

    /// A shell's status where there is no such command.
    static let notFound: Int64 = 127
    /// A shell's status beyond this is 128 and the number of the signal that killed the command.
    static let lastOwnStatus: Int64 = 128
}

extension RunState {
    /// A collector's jobs in the order of their start.
    func jobs(ofCollector name: String) -> [JobState] { jobs.filter { $0.kind == .collector && $0.name == name } }
}

extension RunEngine {
    /// Records what collectors have missed that died and were not started again, so that the ledger knows of it.
    func recordOpenGaps() async throws {
        let state = journal.state
        let now = state.ended ?? Clock.iso8601(microseconds: Clock.wallMicroseconds())
        for collector in profile.collectors where collectors[collector.name] == nil {
            try await recordOpenGaps(of: collector, until: now)
        }
    }

    /// - Parameter time: until when nobody has sampled.
    func recordOpenGaps(of collector: Collector, until time: String) async throws {
        let jobs = journal.state.jobs(ofCollector: collector.name)
        for gap in CollectorGap.behind(jobs, .nothing(until: time), interval: collector.interval) {
            try await journal.append(.collectorGap, gap.data)
        }
    }
}
