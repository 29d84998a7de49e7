import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// Where in the run's directory the files of one job are.
struct JobFiles: Sendable {
    let directory: RunDirectory
    let job: JobState
    /// The data of its `artifact_pulled` events.
    let artifacts: [JSON]
    let workdir: String?

    init(_ job: JobState, workdir: String?, in state: RunState, _ directory: RunDirectory) {
        (self.directory, self.job, self.workdir) = (directory, job, workdir)
        artifacts = state.artifacts.values(with: "job", job.id)
    }

    /// The file of a place and how much of it is on record; nil for one that was not fetched.
    func file(_ place: PreparedMetric.Place) -> (path: String, length: Int64?)? {
        switch place {
        case .stdout: return (directory.actionLog(job: job.id, stream: "stdout"), job.stdoutBytes)
        case .stderr: return (directory.actionLog(job: job.id, stream: "stderr"), job.stderrBytes)
        case .file(let name):
            let wanted = Self.components(remotePath(of: name))
            let found = artifacts.first { Self.components($0["remote"]?.string ?? "") == wanted }
            return (found?["path"]?.string).map { ("\(directory.path)/\($0)", nil) }
        }
    }

    private func remotePath(of name: String) -> String {
        if let own = PreparedMetric.nameInOwnFolder(name) {
            return "\(job.spool ?? "")/\(SpoolFolder.name(of: job.id))/out/\(own)"
        }
        return name.hasPrefix("/") ? name : "\(workdir ?? ".")/\(name)"
    }

    /// A path's names, without those that change nothing.
    private static func components(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }
}
