import JSON
import LinuxSystem
package import RunStore

/// What the runs on this machine tell about a spool on a target.
package struct KnownRun: Sendable {
    package let directory: RunDirectory
    /// As `RunCondition` says it.
    package let condition: String
    /// Everything of it is on this machine: as its ledger has found, or, where an abort made none, as its jobs' ends tell.
    let isWhole: Bool
    /// What is missing would come by `ecr run drain`.
    let mayBeDrained: Bool
    /// Where its jobs have or had their output.
    let spools: Set<String>
    /// The host key of its target, `SHA256:…`.
    let hostKey: String?

    package var id: String { directory.id }

    /// Its jobs may run, or be taken up again.
    var isUnfinished: Bool { !["completed", "aborted", "created"].contains(condition) }

    var roots: [String] { spools.map { FileSystem.parent(of: $0) } }

    /// Nil for a run that cannot be read.
    init?(_ directory: RunDirectory) {
        // Asked first: a run that ends in between is then seen as over, not as interrupted.
        let hasSupervisor = directory.hasSupervisor()
        guard let state = try? directory.state() else { return nil }
        self.directory = directory
        condition = RunCondition.word(state, hasSupervisor: hasSupervisor)
        isWhole = state.status == .aborted ? state.isFetched : state.ledger?["complete"]?.bool ?? false
        mayBeDrained = state.status == .completed || state.mayBeDrained
        spools = Set(([state.spool] + state.jobs.map(\.spool)).compactMap { $0 })
        hostKey = state.connection["host_key"]?.string
    }

    /// The runs of a directory by the ids of their spools.
    static func bySpool(in runs: RunsDirectory) -> [String: KnownRun] {
        var known: [String: KnownRun] = [:]
        for run in runs.runs().compactMap(KnownRun.init) {
            for spool in run.spools { known[FileSystem.name(of: spool)] = run }
        }
        return known
    }
}

extension RunState {
    /// Whether each job's end is known, and all that it left in `$ECR_OUT` has come.
    fileprivate var isFetched: Bool {
        jobs.allSatisfy {
            $0.unfetched?.isGone != false && ![.unknown, .running].contains($0.outcome)
        }
    }
}
