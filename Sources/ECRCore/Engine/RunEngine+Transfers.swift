import EventLog
import Glibc
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// Files that an action needs, and files that an operator sends or fetches by hand.
extension RunEngine {
    /// A transfer by hand.
    struct LiveTransfer {
        let isUpload: Bool
        /// What was asked for, as it was typed.
        let names: [String]
        let feed: JobFeed
        let task: Task<JSON, any Error>
    }

    // MARK: For actions

    /// What goes to the target before an action's commands; `from` is relative to the profile's file.
    func uploads(of plan: Plan) -> [PreparedUpload] {
        let folder = FileSystem.parent(of: journal.state.profileFile)
        return plan.prepared.uploads.map { upload in
            let from = FileSystem.expandingTilde(upload.from)
            return PreparedUpload(from: from.hasPrefix("/") ? from : "\(folder)/\(from)", to: upload.to)
        }
    }

    /// Refuses actions whose files are not here, before anything starts.
    func requireFiles(of plans: [Plan]) async throws {
        for plan in plans {
            // Else the directory of the profile would go, with all that is in it.
            if plan.prepared.uploads.contains(where: { $0.from.isEmpty || $0.to.isEmpty }) {
                throw ECRFailure(
                    .usage,
                    "an upload of action \(plan.action.name) has an empty name, with the parameters that it has now",
                    hint: "ecr run param list")
            }
            try await requireFiles(uploads(of: plan).map { RawPath($0.from) }, for: "action \(plan.action.name)")
        }
    }

    private func requireFiles(_ paths: [RawPath], for what: String) async throws {
        if paths.isEmpty { return }
        do {
            try await worker.run { for path in paths { _ = try UploadTree(path) } }
        } catch let problem as UploadTree.Problem {
            let text = "\(what) cannot upload " + problem.reasons.joined(separator: "\n")
            switch problem.fault {
            case .missing:
                let name = MissingName(problem.path)
                throw ECRFailure(.notFound, text + name.remark, hint: name.hint)
            case .itself: throw ECRFailure(.usage, text, hint: "ls -ld \(shellWord(problem.path.text))")
            case .inside:
                throw ECRFailure(
                    .usage, text, hint: "take that out of the directory, or name what shall go instead of it")
            }
        }
    }

    // MARK: By hand

    /// Sends files and directories. A pause refuses it like any command: it changes the target.
    /// - Parameters:
    ///   - locals: absolute paths.
    ///   - whenGone: how the client's departure is noticed, which ends it.
    func push(
        _ locals: [RawPath], to remote: RawPath, method: String?, whenGone: Departure?, listener: @escaping Listener
    ) async throws -> JSON {
        try requireRunning()
        let method = try transferMethod(method)
        guard !locals.isEmpty, !remote.bytes.isEmpty else {
            throw ECRFailure(.usage, "a push needs files and their place", hint: "ecr run push model.onnx /opt/model/")
        }
        try await requireFiles(locals, for: "ecr")
        // One that was stopped may be putting in its place what this one would send beside it.
        await awaitStopped()
        let uploads = locals.map { Upload(from: $0, to: remote) }
        let origin = UploadOrigin(
            user: nil, workdir: nil, owner: "\(journal.state.uuid) push", spool: spool, isResumed: true)
        let feed = feed(listener)
        let step = UploadStep(
            journal: journal, link: link, feed: feed, worker: worker, lanes: lanes, origin: origin, method: method)
        return try await transfer((locals + [remote]).map(\.text), isUpload: true, feed, whenGone) {
            let result = try await step.run(uploads)
            return [
                "uploaded": result.uploaded.json, "failed": .array(result.failures.map(\.json)),
                "warnings": JSON(strings: result.uploaded.warnings),
                "cancelled": result.isCancelled ? true : nil,
                "resumable": result.isCancelled ? .bool(result.isResumable) : nil,
                "exit_code": Self.exitCode(hasFailed: !result.failures.isEmpty, isCancelled: result.isCancelled),
            ]
        }
    }

    private static func exitCode(hasFailed: Bool, isCancelled: Bool) -> JSON {
        let code: ExitCode = isCancelled ? .interrupted : hasFailed ? .experimentSaidNo : .success
        return .int(Int64(code.rawValue))
    }

    /// Fetches what patterns name. It changes nothing on the target, so a pause does not refuse it.
    func pull(
        _ remotes: [String], method: String?, whenGone: Departure?, listener: @escaping Listener
    ) async throws -> JSON {
        try requireActive()
        guard !remotes.isEmpty, !remotes.contains("") else {
            throw ECRFailure(
                .usage, "a pull needs names of files on the target", hint: "ecr run pull /var/log/messages")
        }
        var policy = pullPolicy
        policy.method = try transferMethod(method)
        await awaitStopped()
        let folder = handParts.makeFolder(
            behind: journal.state.artifacts.last(holding: #""path":"artifacts/pulled/"#)?["path"]?.string)
        let parts = handParts.take(for: folder)
        defer { handParts.release(parts, of: folder) }
        let origin = PullOrigin(maker: nil, folder: "\(folder)/", workdir: nil, commonParts: parts)
        let feed = feed(listener)
        let step = ArtifactStep(
            journal: journal, link: link, feed: feed, worker: worker, origin: origin, policy: policy)
        let entries = remotes.map { name in
            PreparedArtifact(pattern: name, allowOld: true, required: false)
        }
        return try await transfer(remotes, isUpload: false, feed, whenGone) {
            let result = try await step.run(entries, out: nil, RecordedSteps())
            return [
                "pulled": JSON(strings: result.pulled), "failed": .array(result.failures.map(\.json)),
                "empty": .array(result.empty.map(\.json)),
                "warnings": JSON(strings: result.warnings.filter { !$0.hasPrefix("artifact ") }),
                "cancelled": result.isCancelled ? true : nil,
                "exit_code": Self.exitCode(hasFailed: !result.failures.isEmpty, isCancelled: result.isCancelled),
            ]
        }
    }

    /// Those that were stopped leave what the next one goes on with. Origin of 6 s: a link that is lost, and a last step on
    /// the target that hangs, are given up by then; what hangs for longer keeps nobody waiting.
    private func awaitStopped() async {
        for _ in 0..<120 where transfers.values.contains(where: \.task.isCancelled) {
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// - Parameter name: of the operator's; nil for the profile's. nil chooses.
    private func transferMethod(_ name: String?) throws(ECRFailure) -> TransferMethod? {
        guard let name else { return pullPolicy.method }
        if name == TransferSettings.Method.auto.rawValue { return nil }
        guard let method = TransferMethod(rawValue: name) else {
            throw ECRFailure(.usage, "there is no method '\(name)' for files")
        }
        return method
    }

    /// How files are fetched in this run, and how much at most.
    var pullPolicy: PullPolicy { PullPolicy(profile.transfers, journal.directory, journal.state.profileFile) }

    private func feed(_ listener: @escaping Listener) -> JobFeed {
        let feed = JobFeed()
        _ = feed.add { listener("", $0) }
        return feed
    }

    /// Runs a transfer in a task of the engine's own, so that the end of the run can wait for it.
    private func transfer(
        _ names: [String], isUpload: Bool, _ feed: JobFeed, _ whenGone: Departure?,
        _ body: @escaping @Sendable () async throws -> JSON
    ) async throws -> JSON {
        // The run may have ended while this was got ready; from here on its end waits for it.
        try isUpload ? requireRunning() : requireActive()
        lastTransfer += 1
        let number = lastTransfer
        let task = Task { try await body() }
        transfers[number] = LiveTransfer(isUpload: isUpload, names: names, feed: feed, task: task)
        defer { transfers[number] = nil }
        whenGone? { task.cancel() }
        do { return try await task.value } catch {
            noticeFailure(error)
            throw error
        }
    }

    /// Seconds. Origin: the longest that a transfer which is cancelled waits for a target that hangs is ten.
    static let longestEnd = 15.0

    /// Where the target cannot be reached nothing of them can still come.
    func giveUpTransfers() async {
        for transfer in transfers.values { transfer.task.cancel() }
        await awaitStopped()
    }

    /// Waits until nothing is on its way any more.
    /// - Returns: false where something was cancelled and has not ended for long.
    func endTransfers(cancel: Bool) async -> Bool {
        let tasks = transfers.values.map(\.task)
        if cancel { tasks.forEach { $0.cancel() } }
        let ending = Task { for task in tasks { _ = await task.result } }
        return await ending.value(within: cancel ? Self.longestEnd : nil) != nil
    }

    // MARK: How they stand

    /// What is on its way, for jobs and by hand.
    var transferStatus: [JSON] {
        let moving = live.sorted { $0.key < $1.key }.filter { $0.value.transfer.isMoving }
        return moving.map { id, job in
            status(isUpload: job.transfer.phase == .uploading, ["job": .string(id)], job.feed)
        }
            + transfers.sorted { $0.key < $1.key }.map(\.value).map {
                status(isUpload: $0.isUpload, ["names": JSON(strings: $0.names)], $0.feed)
            }
    }

    /// Without numbers while it is not known what is to come.
    private func status(isUpload: Bool, _ subject: JSONObject, _ feed: JobFeed) -> JSON {
        var numbers = feed.transfer?.json.object ?? [:]
        // Of one file; here it is about all.
        for key in ["done", "size", "upload"] { numbers[key] = nil }
        return .object(JSONObject(["direction": isUpload ? "push" : "pull"], subject, numbers))
    }
}
