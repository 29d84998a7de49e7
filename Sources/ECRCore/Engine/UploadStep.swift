import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// Brings files of this machine to the target: what an action needs, or what an operator sends.
struct UploadStep: Sendable {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker
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
        let reason: String

        var json: JSON { ["local": .string(local), "reason": .string(reason)] }
        var text: String { "upload \(local): \(reason)" }
    }

    /// Sends one after the other; the first that fails is the last.
    func run(_ uploads: [PreparedUpload]) async throws -> Result {
        var result = Result()
        for upload in uploads where result.failures.isEmpty { try await send(upload, &result) }
        return result
    }

    /// Origin: as for pulls: a link that stands and still fails so often is no link for files.
    private static let mostFailures = 3

    /// After a break of the link it goes on where it was cut.
    private func send(_ upload: PreparedUpload, _ result: inout Result) async throws {
        let tree: UploadTree
        do { tree = try await worker.run { try UploadTree(upload.from) } } catch let problem as UploadTree.Problem {
            return try await fail(upload, UploadFailure(problem), &result)
        }
        var batch = UploadBatch(
            journal: journal, feed: feed, worker: worker, origin: origin, method: method, upload: upload, tree: tree)
        batch.mayResume = origin.isResumed
        defer { result.uploaded += batch.uploaded }
        var failures = 0
        while true {
            let target = try await link.target()
            let before = batch.uploaded.count
            do { return try await batch.run(on: target) } catch let failure as UploadFailure {
                return try await fail(upload, failure, &result)
            } catch let failure as TransferFailure {
                return try await fail(upload, UploadFailure(failure), &result)
            } catch let error as SSHError {
                if error.code == .channelRefused {
                    return try await fail(upload, UploadFailure(TransferFailure(error.message)), &result)
                }
                await target.closeBulkLine()
                failures = batch.uploaded.count > before ? 1 : failures + 1
                if failures >= Self.mostFailures { await target.close() }
                batch.mayResume = true
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func fail(_ upload: PreparedUpload, _ failure: UploadFailure, _ result: inout Result) async throws {
        let local = failure.path.map { "\(upload.from)/\($0)" } ?? upload.from
        result.failures.append(Failure(local: local, reason: failure.reason))
        try await journal.append(
            .uploadFailed,
            JSONObject(
                ["target": .string(RunEngine.targetName)], origin.fields,
                [
                    "local": .string(upload.from), "path": failure.path.map { .string($0) },
                    "remote": .string(upload.to), "reason": .string(failure.reason),
                ]))
    }
}

/// Why an upload has failed, and at which file of a directory.
struct UploadFailure: Error {
    let reason: String
    /// Below the directory; nil for what was asked for itself.
    var path: String?

    init(_ failure: TransferFailure, at path: String? = nil) {
        reason = failure.reason
        self.path = path
    }

    init(_ problem: UploadTree.Problem) { reason = problem.reasons.joined(separator: "; ") }
}
