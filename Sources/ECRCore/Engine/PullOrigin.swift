import JSON
import RemoteJobs
import RunStore

/// For whom files are fetched: a job, or an operator.
struct PullOrigin: Sendable {
    /// The job that made the files, with its action and attempt; nil for files that an operator asks for.
    struct Maker: Sendable {
        let job: String
        let spool: String
        let action: String
        let attempt: Int
        /// Whether it ran as root: what it has made may not be the login user's to read.
        let isRoot: Bool
    }

    let maker: Maker?
    /// Where the files go, relative to the run directory, with a slash at its end.
    let folder: String
    /// The folder of relative names on the target; nil for the login folder.
    let workdir: String?
    /// Where files are until they are complete, if that is not for this pull alone; relative to the run directory.
    var commonParts: String?

    init(maker: Maker?, folder: String, workdir: String?, commonParts: String? = nil) {
        (self.maker, self.folder, self.workdir, self.commonParts) = (maker, folder, workdir, commonParts)
    }

    /// For what a job has made.
    /// - Parameter workdir: see `workdir`.
    init(maker: Maker, workdir: String? = nil) {
        self.init(maker: maker, folder: "artifacts/\(maker.job)/", workdir: workdir)
    }

    /// Where files are until they are complete, relative to the run directory.
    var parts: String { commonParts ?? folder + RunDirectory.partsName }

    /// What events tell of it.
    var fields: JSONObject {
        [
            "job": maker.map { .string($0.job) }, "action": maker.map { .string($0.action) },
            "attempt": maker.map { JSON($0.attempt) },
        ]
    }
}
