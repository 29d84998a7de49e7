import EventLog
import JSON
import RemoteJobs
import RunStore

/// What jobs have left in `$ECR_OUT` and has not come: it is in the spool, which goes at the run's end once all is here.
extension RunEngine {
    /// Fetches it once more.
    /// - Parameter isDrain: it is asked for as such, and so also what somebody did not want to wait for, however much it is.
    func fetchOutputs(isDrain: Bool) async throws {
        var policy = pullPolicy
        if isDrain { (policy.mostBytes, policy.mostFiles) = (nil, nil) }
        for job in journal.state.jobs where job.spool == spool {
            guard let reason = job.unfetched, isDrain || reason != TransferFailure.cancelled.reason else { continue }
            try await fetchOutput(of: job, policy)
        }
    }

    private func fetchOutput(of job: JobState, _ policy: PullPolicy) async throws {
        var steps = try RecordedSteps(of: job.id, in: journal.directory.events)
        steps.forgetFailures()
        let maker = PullOrigin.Maker(
            job: job.id, spool: spool, action: job.name, attempt: job.attempt,
            isRoot: steps.started?["sudo"]?.bool ?? false)
        let step = ArtifactStep(
            journal: journal, link: link, feed: JobFeed(), worker: worker, origin: PullOrigin(maker: maker),
            policy: policy)
        _ = try await step.run([], out: SpoolFolder.output(of: job.id, in: spool), steps)
        // What has failed again is on record as such.
        guard let now = journal.state.job(job.id), now.unfetchedSeq == job.unfetchedSeq else { return }
        try await journal.append(
            .outputsFetched,
            [
                "target": .string(Self.targetName), "job": .string(job.id), "action": .string(job.name),
                "attempt": JSON(job.attempt),
            ])
    }
}
