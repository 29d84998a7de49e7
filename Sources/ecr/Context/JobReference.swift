import ECRCore
import RunStore
import YAML

/// A job as a person names it: its id, the name of an action or collector for the last job of that, or `last`.
extension ChosenRun {
    /// - Throws: `.usage` with the jobs that exist.
    func job(_ reference: String) throws(ECRFailure) -> JobState {
        let jobs = state.jobs
        if let job = state.job(reference) ?? jobs.last(where: { $0.name == reference }) { return job }
        if reference == "last" {
            if let job = jobs.last(where: { $0.kind != .collector }) { return job }
            throw ECRFailure(.usage, "run \(id) has no job yet", hint: "ecr run status\(self.reference)")
        }
        var names = jobs.map(\.id)
        for name in jobs.map(\.name) where !names.contains(name) { names.append(name) }
        // Origin of 8: what fits beside the message on a screen.
        let known = jobs.isEmpty ? "it has none" : "it has \(jobs.suffix(8).map(\.id).joined(separator: ", "))"
        let near = KnownNames(names).closest(to: reference).map { "did you mean '\($0)'?" }
        throw ECRFailure(.usage, "run \(id) has no job '\(reference)'; \(near ?? known)")
    }
}
