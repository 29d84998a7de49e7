import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// What is to be sent.
struct Upload: Sendable {
    /// A file or directory of this machine.
    let from: RawPath
    /// Its place on the target.
    let to: RawPath

    init(from: RawPath, to: RawPath) {
        self.from = from
        self.to = to
    }

    init(_ prepared: PreparedUpload) { self.init(from: RawPath(prepared.from), to: RawPath(prepared.to)) }
}

/// Brings files of this machine to the target: what an action needs, or what an operator sends.
struct UploadStep: Sendable {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker
    let lanes: UploadLanes
    let origin: UploadOrigin
    /// The way that was asked for; nil chooses.
    let method: TransferMethod?

    struct Result: Sendable {
        /// The data of the `uploaded` events.
        var uploaded: [JSON] = []
        var failures: [Failure] = []
    }

    struct Failure: Sendable {
        let local: String
        let remote: String
        let reason: String
        /// What an operator may do about it.
        let hint: String

        var json: JSON {
            [
                "local": .string(local), "remote": .string(remote), "reason": .string(reason), "hint": .string(hint),
            ]
        }
        var text: String { "upload \(local) to \(remote): \(reason)" }
    }

    /// Sends one after the other; the first that fails is the last.
    func run(_ uploads: [Upload]) async throws -> Result {
        var result = Result()
        for upload in uploads where result.failures.isEmpty { try await send(upload, &result) }
        return result
    }

    /// After a break of the link it goes on where it was cut.
    private func send(_ upload: Upload, _ result: inout Result) async throws {
        let tree: UploadTree
        do { tree = try await worker.run { try UploadTree(upload.from) } } catch let problem as UploadTree.Problem {
            return try await fail(upload, UploadFailure(problem), &result)
        }
        var batch = UploadBatch(
            journal: journal, feed: feed, worker: worker, lanes: lanes, origin: origin, method: method,
            upload: upload, tree: tree)
        batch.mayResume = origin.isResumed
        defer { result.uploaded += batch.uploaded }
        do { try await send(&batch) } catch let failure as UploadFailure {
            return try await fail(upload, failure, &result)
        }
    }

    /// - Throws: `UploadFailure` where it is given up, `CancellationError`.
    private func send(_ batch: inout UploadBatch) async throws {
        var retries = TransferRetries()
        while true {
            let target: Target
            do { target = try await link.target() } catch {
                try await batch.giveUp(on: nil)
                throw error
            }
            let before = batch.uploaded.count
            do {
                return try await batch.run(on: target)
            } catch  where Task.isCancelled {
                // Whatever it looks like. An operator may type it again; an action that is cancelled is over.
                try await batch.giveUp(on: origin.user == nil ? nil : target)
                throw CancellationError()
            } catch let failure as TransferFailure {
                try await batch.giveUp(on: failure.isStall ? nil : target)
                throw UploadFailure(failure)
            } catch let failure as UploadFailure where failure.isStall {
                // Whoever removed something there would have to wait, too.
                try await batch.giveUp(on: nil)
                throw failure
            } catch let error as SSHError {
                let hasProgress = batch.uploaded.count > before
                guard await retries.mayGoOn(after: error, on: target, hasProgress: hasProgress, bytes: batch.reached),
                    error.code != .channelRefused
                else {
                    try await batch.giveUp(on: target)
                    throw UploadFailure(TransferFailure(error.message))
                }
                batch.mayResume = true
                try? await Task.sleep(for: .milliseconds(50))
            } catch {
                try await batch.giveUp(on: target)
                throw error
            }
        }
    }

    private func fail(_ upload: Upload, _ failure: UploadFailure, _ result: inout Result) async throws {
        let event = failure.event(of: upload, for: origin)
        let local = (failure.path.map { upload.from.appending($0) } ?? upload.from).text
        let remote = (failure.remote.map { RawPath($0) } ?? upload.to).text
        result.failures.append(
            Failure(local: local, remote: remote, reason: failure.reason, hint: failure.hint(local, remote)))
        try await journal.append(.uploadFailed, event)
    }
}

/// Why an upload has failed, and at which file of a directory.
struct UploadFailure: Error {
    let reason: String
    /// Below the directory; nil for what was asked for itself.
    var path: [UInt8]?
    /// Where on the target it should have gone, if that was known.
    var remote: [UInt8]?
    private let isDenied: Bool
    /// This machine's file is at fault.
    private let isLocal: Bool
    /// The target hangs.
    let isStall: Bool
    private let ownHint: String?

    init(_ failure: TransferFailure, path: [UInt8]? = nil, remote: [UInt8]? = nil) {
        reason =
            switch failure.reason {
            // What `mkdir -p` and a shell's redirection say of a file where a directory should be.
            case "file exists", "not a directory", "directory nonexistent":
                "a part of that path is a file, or leads nowhere"
            default: failure.reason
            }
        isDenied = failure.isDenied
        isLocal = failure.isLocal
        isStall = failure.isStall
        ownHint = failure.hint
        self.path = path
        self.remote = remote
    }

    init(_ problem: UploadTree.Problem) {
        reason = problem.reasons.joined(separator: "; ")
        (isDenied, isLocal, isStall, ownHint) = (false, true, false, nil)
    }

    /// The data of `upload_failed`.
    func event(of upload: Upload, for origin: UploadOrigin) -> JSONObject {
        JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields, RawName(upload.from.bytes, as: "local").json,
            path.map { RawName($0, as: "path").json } ?? [:], RawName(remote ?? upload.to.bytes).json,
            ["reason": .string(reason)])
    }

    /// The next command to type.
    func hint(_ local: String, _ remote: String) -> String {
        let folder = remote.hasSuffix("/") ? remote : FileSystem.parent(of: remote)
        if let ownHint { return ownHint }
        if isLocal { return "ls -l \(shellWord(local))" }
        if isDenied {
            let name = FileSystem.name(of: local)
            return "ecr run push \(shellWord(local)) /tmp/, then "
                + "ecr run exec --sudo -- mv \(shellWord("/tmp/\(name)")) \(shellWord(remote))"
        }
        return reason == "no space left on device"
            ? "ecr run exec -- df -h \(shellWord(folder))" : "ecr run exec -- ls -la \(shellWord(folder))"
    }
}
