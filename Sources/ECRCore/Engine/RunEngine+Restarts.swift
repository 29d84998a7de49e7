import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// Collectors that come to an end which nobody has asked for: they are started again, after a pause that grows.
extension RunEngine {
    /// Looks after a collector whose job has an end on record.
    func outlive(_ collector: Collector, _ job: String) async throws {
        guard maySample, let dead = journal.state.job(job), dead.hasDied(isStream: collector.interval == nil) else {
            return
        }
        if dead.outcome == .unknown {
            // After a reboot, or once its spool is there again, the recovery starts it.
            interruptedCollectors.insert(collector.name)
            await repairSpoolIfLost()
            if hold != nil && hold != .starting { return }
            interruptedCollectors.remove(collector.name)
            try await journal.append(.collectorError, of(dead, reason: dead.reason ?? "its outcome is unknown"))
        }
        try await planRestart(of: collector, dead)
    }

    private var maySample: Bool { ending?.isStoppingCollectors != true }

    private func planRestart(of collector: Collector, _ dead: JobState) async throws {
        var restarts = restarts[collector.name] ?? CollectorRestarts()
        guard let pause = restarts.pause(afterLife: Self.life(of: dead)) else {
            let reason = "it has died \(restarts.count + 1) times in a row, so it is not started again"
            try await journal.append(.collectorError, of(dead, reason: reason))
            return
        }
        var data = of(dead, reason: dead.reason ?? "its outcome is unknown")
        data["attempt"] = JSON(restarts.count)
        data["next_in_s"] = .double(pause)
        try await journal.append(.collectorRetry, data)
        restarts.pending = Task {
            // Cancelled where somebody starts or stops it meanwhile.
            guard (try? await Task.sleep(for: .seconds(pause))) != nil else { return }
            await self.restart(collector.name, dead)
        }
        self.restarts[collector.name] = restarts
    }

    private func restart(_ name: String, _ dead: JobState) async {
        // A wrapper that was killed may have left its sampler behind.
        if dead.outcome == .unknown, let spool = dead.spool {
            _ = try? await link.target().cancel(job: dead.id, in: spool, signal: "KILL")
        }
        guard !Task.isCancelled, maySample else { return }
        restarts[name]?.pending = nil
        if hold != nil && hold != .starting {
            interruptedCollectors.insert(name)
        } else {
            try? restartCollector(name)
        }
    }

    /// Collectors that an earlier supervisor has seen die and not started again. One whose gap is on record was stopped.
    func deadCollectors(in state: RunState) -> [String] {
        profile.collectors.filter { collector in
            guard let last = state.jobs(ofCollector: collector.name).last else { return false }
            return last.hasDied(isStream: collector.interval == nil) && !last.sampling.isTailRecorded
        }.map(\.name)
    }

    private func of(_ job: JobState, reason: String) -> JSONObject {
        [
            "target": .string(Self.targetName), "collector": .string(job.name), "job": .string(job.id),
            "reason": .string(reason),
        ]
    }

    /// Seconds. Of a job whose end is unknown until it was on record.
    private static func life(of job: JobState) -> Double {
        if let duration = job.duration { return duration }
        guard let began = Clock.microseconds(iso8601: job.started) else { return 0 }
        return Double(Clock.wallMicroseconds() - began) / 1e6
    }
}
