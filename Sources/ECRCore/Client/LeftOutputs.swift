package import JSON
import RemoteJobs
package import RunStore

/// What jobs have left in `$ECR_OUT` and never came: the target has the only copy, as far as the record knows.
package struct LeftOutputs: Sendable {
    package struct Output: Sendable {
        package let job: String
        package let reason: String
        /// On the target.
        package let folder: String
    }

    package let outputs: [Output]
    /// Keys below `transfers:` that have refused some of it.
    private let limits: Set<String>

    package init(_ state: RunState) {
        let jobs = state.unfetched
        limits = Set(jobs.compactMap(\.unfetched?.limit))
        outputs = jobs.map { job in
            Output(
                job: job.id, reason: job.unfetched?.reason ?? "",
                folder: SpoolFolder.output(of: job.id, in: job.spool ?? state.spool ?? "?"))
        }
    }

    package var isEmpty: Bool { outputs.isEmpty }

    /// The disk of the runs directory has no room for it: a limit that a drain keeps, too.
    package var needRoom: Bool { limits.contains("min_free_disk") }

    /// Keys below `transfers:` of what a drain fetches all the same.
    package var lifted: [String] { limits.subtracting(["min_free_disk"]).sorted() }

    package var json: JSON {
        .array(
            outputs.map { output in
                [
                    "job": .string(output.job), "reason": .string(output.reason), "folder": .string(output.folder),
                ]
            })
    }
}
