import EventLog
import JSON
import RemoteJobs
import RunStore

/// What jobs have left in `$ECR_OUT` and has not come: it is in the spool, which goes at the run's end once all is here.
extension RunEngine {
    /// Fetches it once more.
    /// - Parameter isDrain: it is asked for as such, and so also what somebody did not want to wait for, however much it is.
    func fetchOutputs(isDrain: Bool, _ listener: @escaping Listener) async throws {
        var policy = pullPolicy
        if isDrain { (policy.mostBytes, policy.mostFiles) = (nil, nil) }
        for job in journal.state.jobs {
            guard let reason = job.unfetched?.reason, isDrain || reason != TransferFailure.cancelled.reason else {
                continue
            }
            try await fetchOutput(of: job, policy, listener)
        }
    }

    private func fetchOutput(of job: JobState, _ policy: PullPolicy, _ listener: @escaping Listener) async throws {
        let place = job.spool ?? spool
        switch try await link.target().outputStanding(of: job.id, in: place) {
        case .there: break
        case .nothing: return try await recordFetched(job)
        case .gone: return try await recordGone(job)
        }
        let feed = JobFeed()
        _ = feed.add { listener(job.id, $0) }
        var steps = try RecordedSteps(of: job.id, in: journal.directory.events)
        steps.forgetFailures()
        let maker = PullOrigin.Maker(
            job: job.id, spool: place, action: job.name, attempt: job.attempt,
            isRoot: steps.started?["sudo"]?.bool ?? false)
        let step = ArtifactStep(
            journal: journal, link: link, feed: feed, worker: worker, origin: PullOrigin(maker: maker),
            policy: policy)
        _ = try await step.run([], out: SpoolFolder.output(of: job.id, in: place), steps)
        // What has failed again is on record as such.
        guard let now = journal.state.job(job.id), now.unfetched == job.unfetched else { return }
        try await recordFetched(job)
    }

    private func recordFetched(_ job: JobState) async throws {
        try await journal.append(
            .outputsFetched,
            [
                "target": .string(Self.targetName), "job": .string(job.id), "action": .string(job.name),
                "attempt": JSON(job.attempt),
            ])
    }

    /// A spool in memory goes with a reboot, one on a disk with `target clean --force`: then no later drain brings it.
    private func recordGone(_ job: JobState) async throws {
        if job.unfetched?.isGone == true { return }
        try await journal.append(
            .artifactPullFailed, job.outputLoss("the target does not have it any more", isOnlyCopy: false))
    }
}
