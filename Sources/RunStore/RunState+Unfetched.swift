import JSON

/// What is not in the run and may still be on the target.
extension RunState {
    /// Jobs of which something in `$ECR_OUT` has not come, and the target may have it.
    package var unfetched: [JobState] { jobs.filter { $0.unfetched?.isGone == false } }

    /// Whether a run that is over has something on its target that a drain would fetch.
    package var mayBeDrained: Bool {
        switch status {
        case .completed: !isCompared || !unfetched.isEmpty
        case .aborted: !unfetched.isEmpty || !abandonedJobs.isEmpty
        case .created, .running, .paused: false
        }
    }

    /// Whether the target could be asked at the run's end; an older ledger says so by its percent.
    private var isCompared: Bool {
        guard let ledger else { return true }
        return ledger["compared"]?.bool ?? (ledger["complete_percent"] ?? .null != .null)
    }
}
