/// How far a job is that has no end on record, as `status` tells it.
package enum JobPhase: String, Sendable {
    /// What its commands need is sent; none of them runs yet.
    case uploading
    case running
    /// It has ended on the target, and its files are on their way.
    case fetching
}

extension JobPhase {
    /// Of a job that something else waits for: `0003-hash still runs`.
    package func sentence(about job: String) -> String {
        switch self {
        case .uploading: "\(job) has not begun: what it needs is still being sent"
        case .running: "\(job) still runs"
        case .fetching: "\(job) has ended, and its files are still coming"
        }
    }
}
