import JSON
import RemoteJobs

/// The files of the target's that are in the run, by the exact version that was fetched.
struct KnownVersions: Sendable {
    struct Known: Sendable {
        let path: String
        let sha256: String
        let remoteSHA256: String?
    }

    private var known: [String: Known] = [:]

    /// - Parameter artifacts: the data of `artifact_pulled` events.
    init(_ artifacts: JSONList) {
        for artifact in artifacts where artifact["changed"] == nil {
            guard let version = artifact["version"]?.string, let path = artifact["path"]?.string,
                let sha256 = artifact["sha256"]?.string, let size = artifact["size"]?.int
            else { continue }
            // A hard link in the same folder has the same version, and the same content.
            known["\(version) \(size)"] = Known(
                path: path, sha256: sha256, remoteSHA256: artifact["remote_sha256"]?.string)
        }
    }

    var isEmpty: Bool { known.isEmpty }

    subscript(file: RemoteFile) -> Known? { file.lastingVersion.flatMap { known["\($0) \(file.size)"] } }
}
