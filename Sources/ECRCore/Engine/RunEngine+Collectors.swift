import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import YAML

/// Background collectors.
extension RunEngine {
    /// Starts a collector that does not run; returns its job.
    @discardableResult
    func startCollector(_ name: String) throws -> String {
        try requireRunning()
        let collector = try known(name)
        if let running = collectors[name] {
            throw ECRFailure(
                .usage, "collector \(name) runs already (job \(running.job))", hint: "ecr run collector list")
        }
        restarts.removeValue(forKey: name)?.pending?.cancel()
        let job = newJobID(name)
        try attach(collector, job) { try await $0.run() }
        return job
    }

    /// Starts a collector again that a reboot, a lost spool or a death has ended; in a pause only one that ran in it before.
    func restartCollector(_ name: String) throws {
        guard collectors[name] == nil, let collector = profile.collector(named: name) else { return }
        if journal.state.status == .paused, !collector.whilePaused {
            sleepers.insert(name)
            return
        }
        try attach(collector, newJobID(name)) { try await $0.run() }
    }

    func resumeCollector(_ state: JobState) {
        guard let collector = profile.collector(named: state.name) else { return }
        try? attach(collector, state.id, spool: state.spool) { try await $0.resume(state) }
    }

    private func attach(
        _ collector: Collector, _ job: String, spool: String? = nil,
        _ body: @escaping @Sendable (CollectorRunner) async throws -> Void
    ) throws {
        let standing = journal.state.parameters.members.map { ($0.key, $0.value.string ?? "") }
        let values = try profile.parameters(for: collector, standing: standing)
        let runner = CollectorRunner(
            journal: journal, link: link, collector: collector,
            prepared: profile.prepare(collector, with: values, secrets: secrets.byVariable),
            job: job, spool: spool ?? self.spool, onValues: { await self.take($0) })
        let task = Task {
            do { try await body(runner) } catch {
                self.noticeFailure(error)
                self.forget(collector.name, job)
                throw error
            }
            self.forget(collector.name, job)
            try await self.outlive(collector, job)
        }
        collectors[collector.name] = LiveCollector(job: job, task: task)
    }

    private func forget(_ name: String, _ job: String) {
        if collectors[name]?.job == job { collectors[name] = nil }
    }

    /// Stops a collector's sampler and waits until its last samples are on record. One that has died is not started
    /// again.
    @discardableResult
    func stopCollector(_ name: String) async throws -> String {
        let collector = try known(name)
        if let running = collectors[name] {
            try await cancel(running.job, until: running.task)
            return running.job
        }
        guard let pending = restarts[name]?.pending, let dead = journal.state.jobs(ofCollector: name).last else {
            throw ECRFailure(.usage, "collector \(name) does not run", hint: "ecr run collector start \(name)")
        }
        pending.cancel()
        restarts[name] = nil
        try await recordOpenGaps(of: collector, until: Clock.iso8601(microseconds: Clock.wallMicroseconds()))
        return dead.id
    }

    /// Stops a job on the target, harder after five seconds, and waits for the task that observes it.
    func cancel<Value: Sendable>(_ job: String, until task: Task<Value, any Error>) async throws {
        if live[job]?.transfer.cancel() == true { return try await awaitTransfersEnd(of: job, task) }
        let spool = journal.state.job(job)?.spool ?? spool
        let hasRun = try await link.target().cancel(job: job, in: spool)
        if !hasRun, try await cancelComingTransfer(of: job, task) { return }
        let insist = Task {
            try await Task.sleep(for: .seconds(5))
            try await self.link.target().cancel(job: job, in: spool, signal: "KILL")
        }
        defer { insist.cancel() }
        guard try await hasEnded(task) else {
            throw ECRFailure(
                .unknownOutcome,
                "\(job) has not ended \(Self.burialSeconds) s after it was killed: its death is not confirmed",
                hint: "ecr run follow \(job)")
        }
    }

    private func awaitTransfersEnd<Value: Sendable>(of job: String, _ task: Task<Value, any Error>) async throws {
        let ending = Task { _ = await task.result }
        guard await ending.value(within: Self.longestEnd) == nil else { return }
        throw ECRFailure(
            .unknownOutcome,
            "the files of \(job) were given up, but have not ended for \(Int(Self.longestEnd)) s: the target hangs",
            hint: "ecr run follow \(job)")
    }

    /// A job that has just ended on the target is about to fetch its files.
    /// - Returns: false where none of them began to travel.
    private func cancelComingTransfer<Value: Sendable>(
        of job: String, _ task: Task<Value, any Error>
    ) async throws -> Bool {
        // Origin of 2 s: a supervisor that has just begun reads the job's output first.
        for _ in 0..<40 {
            guard let running = live[job] else { return false }
            if running.transfer.cancel() {
                try await awaitTransfersEnd(of: job, task)
                return true
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Origin: TERM, KILL after five seconds, and the wrapper's own seven to see the group gone; a process that is stuck
    /// in the kernel would be waited for without end.
    private static let burialSeconds = 20

    /// Waits for a task, but not for ever while the link stands.
    private func hasEnded<Value: Sendable>(_ task: Task<Value, any Error>) async throws -> Bool {
        let reply = AsyncStream.makeStream(of: Bool.self)
        let end = Task {
            _ = await task.result
            reply.continuation.yield(true)
        }
        let clock = Task {
            var seconds = 0
            while seconds < Self.burialSeconds {
                try await Task.sleep(for: .seconds(1))
                if await self.link.isConnected { seconds += 1 }
            }
            reply.continuation.yield(false)
        }
        defer {
            end.cancel()
            clock.cancel()
        }
        var answers = reply.stream.makeAsyncIterator()
        guard await answers.next() == true else { return false }
        _ = try await task.value
        return true
    }

    func listCollectors() -> JSON {
        let state = journal.state
        let list: [JSON] = profile.collectors.map { collector in
            let jobs = state.jobs(ofCollector: collector.name)
            let isPending = restarts[collector.name]?.pending != nil
            let word =
                collectors[collector.name] != nil
                ? "running" : isPending ? "restarting" : jobs.isEmpty ? "not started" : "stopped"
            return [
                "name": .string(collector.name), "job": jobs.last.map { .string($0.id) }, "state": .string(word),
                "samples": .int(jobs.reduce(0) { $0 + $1.samples }),
                "unparsed": .int(jobs.reduce(0) { $0 + $1.unparsed }),
                "problems": JSON(strings: state.collectors.problems(of: collector.name)),
            ]
        }
        return ["collectors": .array(list)]
    }

    private func known(_ name: String) throws -> Collector {
        if let collector = profile.collector(named: name) { return collector }
        let hint = KnownNames(profile.collectors.map(\.name)).hint(for: name, label: "the profile has")
        throw ECRFailure(.usage, "no collector '\(name)'; \(hint ?? "the profile has none")")
    }
}
