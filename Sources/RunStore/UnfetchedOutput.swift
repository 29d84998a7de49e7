import EventLog
import JSON

/// That not all of a job's `$ECR_OUT` has come.
package struct UnfetchedOutput: Sendable, Equatable {
    package let reason: String
    /// The key below `transfers:` that has refused it, if one has.
    package let limit: String?
    /// The target does not have it any more; else it has the only copy.
    package let isGone: Bool
    /// The seq of the last event that tells of it.
    package let seq: Int64

    /// - Parameter failure: `artifact_pull_failed`; nil where it is about other files.
    init?(_ failure: Event) {
        guard let isOnlyCopy = failure.data["only_copy"]?.bool else { return nil }
        reason = failure.data["reason"]?.string ?? ""
        limit = failure.data["limit"]?.string
        isGone = !isOnlyCopy
        seq = failure.seq
    }

    /// - Parameter job: as `JobState` has it.
    init?(job: JSON) {
        guard let reason = job["unfetched"]?.string else { return nil }
        self.reason = reason
        limit = job["unfetched_limit"]?.string
        isGone = job["output_gone"]?.bool ?? false
        seq = job["unfetched_seq"]?.int ?? -1
    }
}
