import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// Pulls what a job left behind: the entries of its action, and all of `$ECR_OUT`.
struct ArtifactStep {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker
    let request: JobRequest

    struct Result: Sendable {
        /// Relative to the run directory.
        var pulled: [String] = []
        var warnings: [String] = []
        /// A required entry brought nothing, or failed.
        var isFailure = false
        /// What was recorded before and has not come up again yet.
        fileprivate var steps: RecordedSteps
    }

    /// - Parameter steps: what is on record already, and is neither done nor recorded again.
    func run(_ entries: [PreparedArtifact], hasFiles: Bool, _ steps: RecordedSteps) async throws -> Result {
        var result = Result(steps: steps)
        if entries.isEmpty && !hasFiles { return result }
        var taken: Set<String> = []
        for path in steps.pulledPaths { occupy(path, &taken) }
        if hasFiles {
            try await pull("$ECR_OUT", allowOld: true, isRequired: false, &taken, &result) {
                (files: RemoteFiles) throws(SSHError) in
                try await files.all(below: "\(request.folder)/out")
            }
        }
        for entry in entries {
            try await pull(
                entry.pattern, allowOld: entry.allowOld, isRequired: entry.required, &taken, &result
            ) { (files: RemoteFiles) throws(SSHError) in
                try await files.expand(entry.pattern, base: request.workdir ?? ".")
            }
        }
        return result
    }

    /// Pulls what one entry names; after a break of the link it goes on with the file that was cut.
    private func pull(
        _ pattern: String, allowOld: Bool, isRequired: Bool, _ taken: inout Set<String>, _ result: inout Result,
        expand: @Sendable (RemoteFiles) async throws(SSHError) -> Expansion
    ) async throws {
        var done: Set<[UInt8]> = []
        while true {
            let target = try await link.target()
            do {
                guard let sftp = await target.sftp else {
                    return try await fail(pattern, nil, "the target's SSH server offers no SFTP", isRequired, &result)
                }
                let expansion = try await expand(RemoteFiles(sftp))
                let claimed = try await target.claimTime(of: request.job, in: request.spool) ?? 0
                for problem in expansion.problems where done.insert(problem.path).inserted {
                    try await fail(pattern, problem.path, problem.reason, isRequired, &result)
                }
                if expansion.files.isEmpty && expansion.problems.isEmpty && done.isEmpty {
                    try await fail(pattern, nil, "no such file", isRequired, &result)
                }
                for file in expansion.files where !done.contains(file.path) {
                    if !allowOld && file.modificationTime < claimed {
                        try await fail(pattern, file.path, "stale: older than the job", isRequired, &result)
                    } else {
                        try await pull(file, sftp, isRequired, pattern, &taken, &result)
                    }
                    done.insert(file.path)
                }
                return
            } catch let error as SSHError {
                if case .sftp = error.code {
                    return try await fail(pattern, nil, reason(of: error), isRequired, &result)
                }
                await target.close()
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func pull(
        _ file: RemoteFile, _ sftp: SFTPClient, _ isRequired: Bool, _ pattern: String, _ taken: inout Set<String>,
        _ result: inout Result
    ) async throws {
        let remote = remoteName(file.path)
        if let path = result.steps.takePulled(remote) { return result.pulled.append(path) }
        let path = freePath(for: file, &taken)
        let target = JSON.string(RunEngine.targetName)
        let began = Clock.boottimeNanoseconds()
        journal.post(
            .artifactPullStarted,
            JSONObject(["target": target, "job": .string(request.job), "size": .int(Int64(file.size))], remote))
        do {
            let feed = feed
            let steps = ProgressSteps(size: Int64(file.size))
            let pulled = try await ArtifactPull(sftp, worker: worker).pull(
                file, to: "\(journal.directory.path)/\(path)",
                progress: { done in
                    if steps.isDue() { feed.tell(.pulling(path: path, done: done, size: steps.size)) }
                })
            let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
            try await journal.append(
                .artifactPulled,
                JSONObject(
                    [
                        "target": target, "job": .string(request.job), "path": .string(path), "size": .int(pulled.size),
                        "mtime": .int(Int64(pulled.modificationTime)), "mode": .int(Int64(file.permissions & 0o7777)),
                        "sha256": .string(pulled.sha256), "method": "sftp", "duration_s": .double(seconds),
                        "changed": pulled.hasChanged ? .bool(true) : nil,
                    ], remote))
            result.pulled.append(path)
            if pulled.hasChanged { result.warnings.append("\(path) changed while it was read") }
        } catch let error as SSHError {
            guard case .sftp = error.code else {
                // The name is free for the next attempt.
                release(path, &taken)
                throw error
            }
            try await fail(pattern, file.path, reason(of: error), isRequired, &result)
        } catch let error as SystemError where !error.isStorageFailure {
            try await fail(pattern, file.path, error.description, isRequired, &result)
        }
    }

    /// What the server said, and what helps where the login user may not read what root has made.
    private func reason(of error: SSHError) -> String {
        switch error.code {
        case .sftp(2): "no such file"
        case .sftp(3) where request.root != nil:
            "\(error.message); it may be root's own; copy it to $ECR_OUT, which is given to the login user"
        default: error.message
        }
    }

    private func fail(
        _ pattern: String, _ path: [UInt8]?, _ reason: String, _ isRequired: Bool, _ result: inout Result
    ) async throws {
        let remote = path.map(remoteName) ?? ["remote": .string(pattern)]
        if !result.steps.takeFailure(remote, reason: reason) {
            try await journal.append(
                .artifactPullFailed,
                JSONObject(
                    [
                        "target": .string(RunEngine.targetName), "job": .string(request.job),
                        "reason": .string(reason), "required": .bool(isRequired),
                    ], remote))
        }
        let name = path.map { String(decoding: $0, as: UTF8.self) } ?? pattern
        result.warnings.append("artifact \(name): \(reason)")
        if isRequired { result.isFailure = true }
    }

    /// A raw name as text where it is UTF-8, else in base64.
    private func remoteName(_ path: [UInt8]) -> JSONObject {
        if let text = String(validating: path, as: UTF8.self) { return ["remote": .string(text)] }
        return ["remote_base64": .string(Base64.encode(path))]
    }

    /// The folder of the job's artifacts, relative to the run directory.
    private var folder: String { "artifacts/\(request.job)/" }

    private func release(_ path: String, _ taken: inout Set<String>) {
        taken.remove(String(path.lowercased().dropFirst(folder.count)))
    }

    /// Takes a path that was given to a file before.
    private func occupy(_ path: String, _ taken: inout Set<String>) {
        var place = path.lowercased().dropFirst(folder.count)
        taken.insert(String(place))
        while let slash = place.lastIndex(of: "/") {
            taken.insert(String(place[...slash]))
            place = place[..<slash]
        }
    }

    /// A path that neither is another artifact nor leads through one: a folder may have the name of a file elsewhere.
    /// Names are compared without case: the dataset may be unpacked where case does not count.
    /// - Parameter taken: files, and folders with a slash behind them, in lower case.
    private func freePath(for file: RemoteFile, _ taken: inout Set<String>) -> String {
        var path = ""
        let components = ArtifactName.local(for: file.relative).split(separator: "/").map(String.init)
        for (index, component) in components.enumerated() {
            let isFolder = index < components.count - 1
            var name = component
            var number = 1
            while taken.contains((path + name).lowercased())
                || !isFolder && taken.contains((path + name).lowercased() + "/")
            {
                number += 1
                name = ArtifactName.numbered(component, number)
            }
            path += isFolder ? name + "/" : name
            taken.insert(path.lowercased())
        }
        return folder + path
    }
}

extension JSONObject {
    /// The members of both, the first ones first.
    init(_ first: JSONObject, _ second: JSONObject) {
        self = first
        merge(second)
    }
}
