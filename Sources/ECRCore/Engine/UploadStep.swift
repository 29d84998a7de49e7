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
        var uploaded = UploadSummary()
        var failures: [Failure] = []
        /// It was stopped before all of it was there.
        var isCancelled = false
        /// What it was stopped in goes on where it was.
        var isResumable = false
    }

    struct Failure: Sendable {
        let local: String
        let remote: String
        let reason: String
        let outcome: UploadFailure.Outcome
        /// Other files of the same directory.
        let unsent: Int
        /// What an operator may do about it.
        let hint: String?

        var json: JSON {
            [
                "local": .string(local), "remote": .string(remote), "reason": .string(reason),
                "outcome": .string(outcome.rawValue), "unsent": unsent > 0 ? JSON(unsent) : nil,
                "hint": hint.map { .string($0) },
            ]
        }
        var text: String {
            "upload \(local) to \(remote): \(reason)\(unsent > 0 ? "; files that were not sent with it: \(unsent)" : "")"
        }
    }

    /// Sends one after the other; the first that fails is the last, and those behind it are named.
    func run(_ uploads: [Upload]) async throws -> Result {
        var result = Result()
        var rest = uploads[...]
        while !result.isCancelled, result.failures.isEmpty, let upload = rest.popFirst() {
            do { try await send(upload, &result) } catch is CancellationError { result.isCancelled = true }
        }
        let why = result.isCancelled ? UploadFailure.cancelled : .untried
        try await fail(rest.map { ($0, why) }, &result)
        return result
    }

    /// After a break of the link it goes on where it was cut.
    private func send(_ upload: Upload, _ result: inout Result) async throws {
        let tree: UploadTree
        do { tree = try await worker.run { try UploadTree(upload.from) } } catch let problem as UploadTree.Problem {
            return try await fail([(upload, UploadFailure(problem))], &result)
        }
        var batch = UploadBatch(
            journal: journal, feed: feed, worker: worker, lanes: lanes, origin: origin, method: method,
            upload: upload, tree: tree)
        batch.mayResume = origin.isResumed
        defer { result.uploaded += batch.uploaded }
        do { try await send(&batch) } catch {
            let unsent = batch.unsent
            var failures = batch.takeUnsettled()
            var failure = error as? UploadFailure ?? .cancelled
            failure.unsent = tree.isFolder ? unsent - (failure.path == nil ? 0 : 1) : 0
            let isCancelled = error is CancellationError
            result.isResumable = batch.isResumable
            if isCancelled ? unsent > 0 : error is UploadFailure { failures.append(failure) }
            try await fail(failures.map { (upload, $0) }, &result)
            if !(error is UploadFailure) { throw error }
        }
    }

    /// - Throws: `UploadFailure` where it is given up, `CancellationError`.
    private func send(_ batch: inout UploadBatch) async throws {
        var retries = TransferRetries()
        while true {
            let target: Target
            do { target = try await link.target() } catch { throw Task.isCancelled ? CancellationError() : error }
            let before = batch.uploaded.files
            do {
                return try await batch.run(on: target)
            } catch  where Task.isCancelled {
                // Whatever it looks like. An operator may type it again; an action that is cancelled is over.
                if origin.user != nil { await batch.removeSeats(on: target) }
                throw CancellationError()
            } catch let failure as TransferFailure {
                if !failure.isStall { await batch.removeSeats(on: target) }
                throw UploadFailure(failure)
            } catch let failure as UploadFailure where failure.isStall {
                // Whoever removed something there would have to wait, too.
                throw failure
            } catch let error as SSHError {
                let hasProgress = batch.uploaded.files > before
                guard await retries.mayGoOn(after: error, on: target, hasProgress: hasProgress, bytes: batch.reached),
                    error.code != .channelRefused
                else {
                    await batch.removeSeats(on: target)
                    throw UploadFailure(TransferFailure(error.message))
                }
                batch.mayResume = true
                try? await Task.sleep(for: .milliseconds(50))
            } catch {
                await batch.removeSeats(on: target)
                throw error
            }
        }
    }

    /// One sync for all of them.
    private func fail(_ failures: [(upload: Upload, failure: UploadFailure)], _ result: inout Result) async throws {
        for (number, (upload, failure)) in failures.enumerated() {
            result.failures.append(described(failure, of: upload))
            let event = failure.event(of: upload, for: origin)
            if number == failures.count - 1 {
                try await journal.append(.uploadFailed, event)
            } else {
                journal.post(.uploadFailed, event)
            }
        }
    }

    private func described(_ failure: UploadFailure, of upload: Upload) -> Failure {
        let local = (failure.path.map { upload.from.appending($0) } ?? upload.from).text
        let remote = (failure.remote.map { RawPath($0) } ?? upload.to).text
        return Failure(
            local: local, remote: remote, reason: failure.reason, outcome: failure.outcome, unsent: failure.unsent,
            hint: failure.hint(local, remote))
    }
}

/// Why an upload has failed, and at which file of a directory.
struct UploadFailure: Error {
    /// What has become of it.
    enum Outcome: String, Sendable {
        case failed
        /// It may be there.
        case unknown
        case cancelled
        /// An earlier one has failed.
        case untried
    }

    let reason: String
    let outcome: Outcome
    /// How many other files of the directory are not on the target either, or not yet.
    var unsent = 0
    /// Below the directory; nil for what was asked for itself.
    var path: [UInt8]?
    /// Where on the target it should have gone, if that was known.
    var remote: [UInt8]?
    /// What is known of it beside the reason.
    private let cause: TransferFailure
    /// The target hangs.
    var isStall: Bool { cause.isStall }

    init(_ failure: TransferFailure, path: [UInt8]? = nil, remote: [UInt8]? = nil) {
        reason =
            switch failure.reason {
            // What `mkdir -p` and a shell's redirection say of a file where a directory should be.
            case "file exists", "not a directory", "directory nonexistent":
                "a part of that path is a file, or leads nowhere"
            default: failure.reason
            }
        outcome = failure.isUnsettled ? .unknown : .failed
        cause = failure
        self.path = path
        self.remote = remote
    }

    init(_ problem: UploadTree.Problem) {
        var failure = TransferFailure(problem.reasons.joined(separator: "; "))
        failure.isLocal = true
        self.init(failure)
    }

    static let cancelled = UploadFailure("cancelled", .cancelled)
    static let untried = UploadFailure("not tried, since an earlier one has failed", .untried)

    private init(_ reason: String, _ outcome: Outcome) {
        self.reason = reason
        self.outcome = outcome
        cause = TransferFailure(reason)
    }

    /// The data of `upload_failed`.
    func event(of upload: Upload, for origin: UploadOrigin) -> JSONObject {
        JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields, RawName(upload.from.bytes, as: "local").json,
            path.map { RawName($0, as: "path").json } ?? [:], RawName(remote ?? upload.to.bytes).json,
            ["reason": .string(reason), "unsent": unsent > 0 ? JSON(unsent) : nil])
    }

    /// The next command to type; nil where the same one goes on.
    func hint(_ local: String, _ remote: String) -> String? {
        switch outcome {
        case .cancelled, .untried: return nil
        case .unknown: return "ecr run push \(shellWord(local)) \(shellWord(remote))"
        case .failed: break
        }
        let folder = remote.hasSuffix("/") ? remote : FileSystem.parent(of: remote)
        if let hint = cause.hint { return hint }
        // By the name that was typed: what that leads to may be another process's.
        if cause.isMadeUp { return "cat \(shellWord(local)) >copy, then send that" }
        if cause.isLocal {
            return FileSystem.exists(local) ? "ls -l \(shellWord(local))" : MissingName(RawPath(local)).hint
        }
        if cause.isDenied {
            let name = FileSystem.name(of: local)
            return "ecr run push \(shellWord(local)) /tmp/, then "
                + "ecr run exec --sudo -- mv \(shellWord("/tmp/\(name)")) \(shellWord(remote))"
        }
        return reason == "no space left on device"
            ? "ecr run exec -- df -h \(shellWord(folder))" : "ecr run exec -- ls -la \(shellWord(folder))"
    }
}
