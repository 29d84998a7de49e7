import JSON

/// For whom files are sent: a job that needs them, or an operator.
struct UploadOrigin: Sendable {
    /// The job, with its action and attempt; nil for files that an operator sends.
    struct User: Sendable {
        let job: String
        let action: String
        let attempt: Int
    }

    let user: User?
    /// The folder of relative names on the target; nil for the login folder.
    let workdir: String?
    /// Tells the temporary files on the target from those of others.
    let owner: String
    /// The run's directory on the target, which keeps their names.
    let spool: String
    /// Whether an earlier supervisor may have begun.
    var isResumed = false

    /// What events tell of it.
    var fields: JSONObject {
        [
            "job": user.map { .string($0.job) }, "action": user.map { .string($0.action) },
            "attempt": user.map { JSON($0.attempt) },
        ]
    }
}
