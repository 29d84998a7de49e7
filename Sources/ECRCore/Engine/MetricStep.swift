import JSON
import LinuxSystem
import Profiles
import RunStore

/// Takes the metrics of a job that has ended, before its end is recorded.
struct MetricStep {
    let journal: Journal
    let worker: Worker

    /// - Parameter recorded: what an earlier supervisor has recorded, which is not recorded again.
    func run(
        _ metrics: [PreparedMetric], of job: String, workdir: String?, _ recorded: RecordedMetrics
    ) async throws -> (warnings: [String], isFailure: Bool) {
        if let outcome = recorded.outcome { return outcome }
        let state = journal.state
        guard !metrics.isEmpty, let job = state.job(job) else { return ([], false) }
        let files = JobFiles(job, workdir: workdir, in: state, journal.directory)
        let derivation = try await worker.run {
            MetricDerivation(metrics, from: files, number: recorded.lastDerivation + 1, by: .end)
        }
        for event in derivation.events(job) { journal.post(event.type, event.data) }
        return (derivation.warnings, derivation.isFailure)
    }
}
