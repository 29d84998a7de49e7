import JSON

/// What is not in the run and may still be on the target.
extension RunState {
    /// Jobs of which something in `$ECR_OUT` has not come.
    package var unfetched: [JobState] { jobs.filter { $0.unfetched != nil } }

    /// Whether a run that is over has something on its target that a drain would fetch.
    package var mayBeDrained: Bool {
        switch status {
        case .completed: ledger?["compared"] == false || !unfetched.isEmpty
        case .aborted: !unfetched.isEmpty
        case .created, .running, .paused: false
        }
    }
}
