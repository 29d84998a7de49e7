import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// Fetches files into the run: what a job left behind, the entries of its action and all of `$ECR_OUT`, or what an
/// operator asks for.
struct ArtifactStep {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let worker: Worker
    let origin: PullOrigin
    let policy: PullPolicy

    struct Result: Sendable {
        /// Relative to the run directory.
        var pulled: [String] = []
        var warnings: [String] = []
        /// What came and was compared with nothing.
        var unverified = FirstName()
        var failures: [Failure] = []
        /// What is there and holds nothing, with how that is.
        var empty: [Failure] = []
        /// A required entry brought nothing, or failed.
        var isFailure = false
        /// It was stopped before all of it had come.
        var isCancelled = false
        /// What was recorded before and has not come up again yet.
        var steps: RecordedSteps
    }

    /// What did not come.
    struct Failure: Sendable {
        let remote: String
        let reason: String
        /// What to type next; nil where nothing is wrong.
        var hint: String?
        /// Somebody did not want to wait for it.
        var isCancelled = false

        var json: JSON {
            [
                "remote": .string(remote), "reason": .string(reason), "outcome": isCancelled ? "cancelled" : nil,
                "hint": hint.map { .string($0) },
            ]
        }
    }

    /// - Parameters:
    ///   - out: the job's `$ECR_OUT`, if there is something in it.
    ///   - steps: what is on record already, and is neither done nor recorded again.
    func run(_ entries: [PreparedArtifact], out: String?, _ steps: RecordedSteps) async throws -> Result {
        var result = Result(steps: steps)
        var entries = entries.map { Entry($0) }
        if let out { entries.insert(Entry(out: out), at: 0) }
        if entries.isEmpty { return result }
        var places = ArtifactPlaces(folder: origin.folder, given: steps.pulledPaths)
        var allowance = PullAllowance(policy, free: try FileSystem.freeBytes(journal.directory.path))
        if entries.count > 1 { await survey(&entries, &allowance, steps) }
        for entry in entries {
            do { try await pull(entry, &places, &allowance, &result) } catch is CancellationError {
                result.isCancelled = true
                try await fail(entry, .cancelled, &result)
            }
        }
        if let warning = result.unverified.warning("is not verified: the target has not told its SHA-256") {
            result.warnings.append(warning)
        }
        let parts = partsFolder
        if origin.commonParts == nil { try? await worker.run { try FileSystem.removeTree(parts) } }
        return result
    }

    /// What is asked for at once.
    private struct Entry {
        let pattern: String
        /// How events and messages call it.
        let name: String
        let allowOld: Bool
        let isRequired: Bool
        /// What does not come of it goes with the spool.
        let isOutput: Bool
        var method: TransferMethod?
        /// What it was found to name, and when, before the first entry was fetched.
        var found: (expansion: Expansion, at: Int64)?
        /// What it may bring.
        var share: PullAllowance.Share?
        /// It would be too much.
        var refusal: TransferFailure?
        /// Names on the target that are dealt with.
        var done: Set<[UInt8]> = []
        /// See `PullBatch.suspects`.
        var suspects: Set<[UInt8]> = []

        init(_ artifact: PreparedArtifact) {
            pattern = artifact.pattern
            name = artifact.pattern
            allowOld = artifact.allowOld
            isRequired = artifact.required
            isOutput = false
            method = artifact.method.flatMap { TransferMethod(rawValue: $0.rawValue) }
        }

        init(out: String) {
            pattern = globLiteral(out)
            name = JobState.outputName
            allowOld = true
            isRequired = false
            isOutput = true
        }
    }

    // MARK: Before anything comes

    /// Nanoseconds. Origin: a log that has grown for so long has hardly changed.
    private static let lasting: Int64 = 2_000_000_000

    /// Gives all entries their shares. One that cannot be looked at now is looked at when its turn comes.
    private func survey(_ entries: inout [Entry], _ allowance: inout PullAllowance, _ steps: RecordedSteps) async {
        var steps = steps
        for index in entries.indices {
            guard let target = try? await link.target(), let found = try? await find(entries[index], on: target),
                let claimed = try? await claimTime(for: entries[index], on: target)
            else { continue }
            var fresh = found
            fresh.files.removeAll {
                $0.modificationTime < claimed || steps.takePulled(RawName($0.path).json) != nil
            }
            entries[index].found = (found, Clock.boottimeNanoseconds())
            if fresh.files.isEmpty { continue }
            let kept = (try? await keptBytes(fresh.files)) ?? 0
            do throws(TransferFailure) {
                entries[index].share = try allowance.take(fresh, kept: kept, held: nil)
            } catch { entries[index].refusal = error }
        }
    }

    private func find(_ entry: Entry, on target: Target) async throws -> Expansion {
        let line = try await target.transferLine(isBulk: false)
        let limit = policy.mostFiles.map { min($0, TransferLine.mostFiles) + 1 } ?? TransferLine.mostFiles
        let method = entry.method ?? policy.method
        return try await line.expand(
            entry.pattern, base: origin.workdir, most: limit,
            // The session for it is opened while the target still looks.
            whenMuch: { Task { try await target.transferLine(isBulk: true, for: method, asksForSFTP: false) } })
    }

    /// Since when files count; 0 for all.
    private func claimTime(for entry: Entry, on target: Target) async throws -> UInt32 {
        guard !entry.allowOld, let maker = origin.maker else { return 0 }
        return try await target.claimTime(of: maker.job, in: maker.spool) ?? 0
    }

    // MARK: Entry by entry

    /// Fetches what one entry names; after a break of the link it goes on where it was cut.
    private func pull(
        _ entry: Entry, _ places: inout ArtifactPlaces, _ allowance: inout PullAllowance, _ result: inout Result
    ) async throws {
        var entry = entry
        var retries = TransferRetries()
        while true {
            try Task.checkCancellation()
            let target = try await link.target()
            let before = entry.done.count
            do {
                return try await pull(&entry, from: target, &places, &allowance, &result)
            } catch  where Task.isCancelled {
                // Whatever it looks like.
                throw CancellationError()
            } catch let error as TransferFailure {
                return try await fail(entry, error, &result)
            } catch let error as SSHError {
                let (hasProgress, parts) = (entry.done.count > before, partsFolder)
                let bytes = try await worker.run { FileSystem.treeSize(parts) }
                guard error.code != .channelRefused,
                    await retries.mayGoOn(after: error, on: target, hasProgress: hasProgress, bytes: bytes)
                else { return try await fail(entry, TransferFailure(error.message), &result) }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func pull(
        _ entry: inout Entry, from target: Target, _ places: inout ArtifactPlaces,
        _ allowance: inout PullAllowance, _ result: inout Result
    ) async throws {
        let method = entry.method ?? policy.method
        try await target.require(method)
        if let refusal = entry.refusal { throw refusal }
        // While the target looks for its files.
        async let known = KnownVersions(journal.state.artifacts)
        var expansion: Expansion
        if let found = entry.found, Clock.boottimeNanoseconds() - found.at < Self.lasting {
            expansion = found.expansion
        } else {
            expansion = try await find(entry, on: target)
        }
        entry.found = nil
        let refused = expansion.problems.filter { entry.done.insert($0.path).inserted }
        try await fail(
            entry,
            refused.map {
                Loss(path: $0.path, failure: TransferFailure($0.reason), isOnlyCopy: $0.mayHoldContent)
            }, &result)
        if expansion.files.isEmpty && expansion.problems.isEmpty && entry.done.isEmpty {
            guard let emptiness = expansion.emptiness else {
                return try await fail(entry, TransferFailure("no such file"), &result)
            }
            return try await pass(entry, expansion, emptiness, &result)
        }
        try await leaveOutStale(&expansion, &entry, target, &result)
        expansion.files.removeAll { file in
            if entry.done.contains(file.path) { return true }
            guard let path = result.steps.takePulled(RawName(file.path).json) else { return false }
            result.pulled.append(path)
            entry.done.insert(file.path)
            return true
        }
        // What a cut listing has not named may be wanted.
        if expansion.files.isEmpty && !expansion.isCut { return }
        let held = entry.share
        entry.share = nil
        var kept = held?.kept ?? 0
        if held == nil { kept = try await keptBytes(expansion.files) }
        entry.share = try allowance.take(expansion, kept: kept, held: held)
        let line = try await target.transferLine(isBulk: expansion.isMuch, for: method, asksForSFTP: false)
        var batch = PullBatch(
            journal: journal, feed: feed, worker: worker, origin: origin, parts: partsFolder, line: line,
            method: method, known: await known, places: places)
        journal.post(.artifactPullStarted, beginning(of: entry, expansion))
        batch.suspects = entry.suspects
        defer { (places, entry.suspects) = (batch.places, batch.suspects) }
        let asked = entry
        try await batch.run(expansion.files) { settled in
            var losses: [Loss] = []
            for (file, outcome) in settled {
                entry.done.insert(file.path)
                switch outcome {
                case .success(let pulled):
                    result.pulled.append(pulled.path)
                    if let warning = pulled.warning { result.warnings.append(warning) }
                    if pulled.isUnverified { result.unverified.add(pulled.path) }
                case .failure(let failure): losses.append(Loss(path: file.path, failure: failure))
                }
            }
            try await fail(asked, losses, &result)
        }
        if let warning = await target.warning(of: line), !result.warnings.contains(warning) {
            result.warnings.append(warning)
        }
    }

    /// What an earlier attempt has left of files: it has its room already.
    private func keptBytes(_ files: [RemoteFile]) async throws -> Int64 {
        let parts = partsFolder
        return try await worker.run {
            let names = Set((try? FileSystem.list(parts)) ?? [])
            if names.isEmpty { return 0 }
            return files.reduce(0) { kept, file in
                let part = PullBatch.part(of: file, in: parts)
                guard names.contains(FileSystem.name(of: part)) else { return kept }
                return kept + min(FileSystem.treeSize(part), Int64(clamping: file.size))
            }
        }
    }

    /// The data of `artifact_pull_started`.
    private func beginning(of entry: Entry, _ expansion: Expansion) -> JSONObject {
        JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields,
            [
                "entry": .string(entry.name), "files": JSON(expansion.files.count),
                "bytes": .int(Int64(clamping: expansion.bytes)),
            ])
    }

    /// A directory that holds nothing has come with all that is in it; it is no failure, unless something is required of it.
    private func pass(
        _ entry: Entry, _ expansion: Expansion, _ emptiness: Expansion.Emptiness, _ result: inout Result
    ) async throws {
        if entry.isRequired { return try await fail(entry, TransferFailure(emptiness.rawValue), &result) }
        result.empty.append(Failure(remote: entry.name, reason: emptiness.rawValue))
        result.warnings.append("artifact \(entry.name): \(emptiness.rawValue)")
        try await journal.append(.artifactPullStarted, beginning(of: entry, expansion))
    }

    /// What is older than the job was not made by it. Both times are the target's, in whole seconds.
    private func leaveOutStale(
        _ expansion: inout Expansion, _ entry: inout Entry, _ target: Target, _ result: inout Result
    ) async throws {
        let claimed = try await claimTime(for: entry, on: target)
        let stale = expansion.files.filter {
            $0.modificationTime < claimed && entry.done.insert($0.path).inserted
        }
        let failure = TransferFailure("stale: older than the job; `allow_old: true` in the profile takes it")
        try await fail(entry, stale.map { Loss(path: $0.path, failure: failure) }, &result)
    }

    // MARK: Failures

    /// What does not come of an entry.
    private struct Loss {
        /// On the target; nil for the whole entry.
        let path: [UInt8]?
        let failure: TransferFailure
        /// Whether it matters that an output goes with the spool.
        var isOnlyCopy = true
    }

    private func fail(_ entry: Entry, _ failure: TransferFailure, _ result: inout Result) async throws {
        try await fail(entry, [Loss(path: nil, failure: failure)], &result)
    }

    /// One sync for all of them.
    private func fail(_ entry: Entry, _ losses: [Loss], _ result: inout Result) async throws {
        var last: JSONObject?
        for loss in losses {
            note(entry, loss.path, loss.failure, &result)
            let remote = loss.path.map { RawName($0).json } ?? ["remote": .string(entry.name)]
            let reason = reason(of: loss.failure)
            if result.steps.takeFailure(remote, reason: reason) { continue }
            if let last { journal.post(.artifactPullFailed, last) }
            last = JSONObject(
                ["target": .string(RunEngine.targetName)], origin.fields,
                [
                    "reason": .string(reason), "limit": loss.failure.limit.map { .string($0) },
                    "required": .bool(entry.isRequired),
                    "only_copy": entry.isOutput && loss.isOnlyCopy ? true : nil,
                ], remote)
        }
        if let last { try await journal.append(.artifactPullFailed, last) }
    }

    private func note(_ entry: Entry, _ path: [UInt8]?, _ failure: TransferFailure, _ result: inout Result) {
        let name = path.map { String(decoding: $0, as: UTF8.self) } ?? entry.name
        let local = failure.isLocal ? "df -h \(shellWord(journal.directory.path))" : nil
        let hint = failure.hint ?? local ?? "ecr run exec -- ls -la \(shellWord(folder(of: path, entry)))"
        let isCancelled = failure == .cancelled
        result.failures.append(
            Failure(
                remote: name, reason: reason(of: failure), hint: isCancelled ? nil : hint, isCancelled: isCancelled))
        result.warnings.append("artifact \(name): \(reason(of: failure))")
        if entry.isRequired { result.isFailure = true }
    }

    /// Where to look for a file of an entry, as far as a person can type it.
    private func folder(of path: [UInt8]?, _ entry: Entry) -> String {
        path.flatMap { String(validating: $0, as: UTF8.self) }.map { globFolder(globLiteral($0)) }
            ?? globFolder(entry.pattern)
    }

    /// What was said, and what helps where the login user may not read what root has made.
    private func reason(of failure: TransferFailure) -> String {
        guard failure.isDenied, origin.maker?.isRoot == true else { return failure.reason }
        return "\(failure.reason); it may be root's own; copy it to $ECR_OUT, which is given to the login user"
    }

    private var partsFolder: String { "\(journal.directory.path)/\(origin.parts)" }
}

extension JSONObject {
    /// The members of all, the first ones first.
    init(_ objects: JSONObject...) {
        self = [:]
        for object in objects { merge(object) }
    }
}
