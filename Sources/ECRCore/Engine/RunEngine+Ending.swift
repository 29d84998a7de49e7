import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// Complete and abort.
extension RunEngine {
    /// Ends the run with its ledger: stops the collectors, runs the `finally:` actions, compares both ends, removes the
    /// spool.
    /// - Parameter listener: hears of files that are fetched once more.
    func complete(
        wait: Bool, cancelRunning: Bool, withoutTarget: Bool, listener: @escaping Listener
    ) async throws -> JSON {
        try requireActive()
        try requireSetUp()
        guard await link.isConnected else {
            if withoutTarget { return try await completeWithoutTarget() }
            throw ECRFailure(
                .unreachable, "the target is not connected: the ledger can't be made",
                hint: "ecr run reconnect, or ecr run complete --without-target and later ecr run drain")
        }
        if !wait && !cancelRunning, let (job, running) = live.min(by: { $0.key < $1.key }) {
            throw ECRFailure(
                .busy, running.transfer.phase.sentence(about: job),
                hint: "ecr run complete --wait, or ecr run complete --cancel-running")
        }
        if !wait && !cancelRunning, !transfers.isEmpty {
            throw ECRFailure(
                .busy, "a push or pull is still on its way",
                hint: "ecr run complete --wait, or ecr run complete --cancel-running")
        }
        try await requireRoot(for: profile.finally)
        try requireActive()
        begin(.completing)
        let ledger: Ledger
        do {
            guard await endTransfers(cancel: cancelRunning) else {
                throw ECRFailure(
                    .busy, "a push or pull was cancelled, and has not ended for \(Int(Self.longestEnd)) s",
                    hint: "ecr run complete --cancel-running once more, or ecr run abort")
            }
            for (job, running) in live {
                if cancelRunning { try await cancel(job, until: running.end) } else { _ = try await running.end.value }
            }
            _ = try await activeStage?.value
            try await stopEverything()
            try await fetchOutputs(isDrain: false, listener)
            try await recordWindows()
            await takeLastBaseline(isBrief: false)
            ledger = try await makeLedger()
        } catch let error as SSHError {
            takeBackEnd()
            throw ECRFailure(
                .unreachable, "the link was lost, so the run is not completed: \(error.message)",
                hint: "ecr run complete, once ecr status says connected")
        } catch {
            takeBackEnd()
            throw error
        }
        try await journal.append(.ledger, ledger.json)
        try await journal.append(.runCompleted, ["complete": .bool(ledger.isWhole)])
        return .object(try await end(with: ledger))
    }

    /// The run goes on, unless somebody has aborted it meanwhile.
    private func takeBackEnd() {
        guard ending?.kind == .completing else { return }
        ending = nil
        keepHolds()
    }

    /// Ends the run although the target cannot be asked: what is still there is fetched by a later drain.
    private func completeWithoutTarget() async throws -> JSON {
        begin(.completing)
        await giveUpTransfers()
        try await closeMarks()
        let ledger = try await makeLedger(remote: nil)
        try await journal.append(.ledger, ledger.json)
        let skipped = profile.finally.isEmpty ? nil : JSON(strings: profile.finally)
        try await journal.append(
            .runCompleted, ["complete": false, "without_target": true, "finally_skipped": skipped])
        var result = try await end(with: ledger)
        result["finally_skipped"] = skipped
        return .object(result)
    }

    /// Fetches what is left on the target of a run that is over, and makes the ledger anew. Jobs that an abort has left end
    /// as the target tells.
    /// - Parameters:
    ///   - cancelRunning: whether actions that still run are cancelled; else they are waited for.
    ///   - listener: hears of files on their way.
    func drain(
        cancelRunning: Bool, progress: @escaping @Sendable (String) -> Void, listener: @escaping Listener
    ) async throws -> JSON {
        begin(.draining)
        _ = try await connect()
        for job in journal.state.openJobs + journal.state.abandonedJobs {
            progress("fetching \(job.id)")
            if job.kind == .collector { resumeCollector(job) } else { try resumeAction(job) }
            // A link that breaks now is the job's own watch's business.
            if !cancelRunning, job.kind != .collector, (try? await isRunning(job)) == true {
                progress(
                    "\(job.id) still runs on the target and is waited for; Ctrl-C, and then "
                        + "ecr run drain \(journal.directory.id) --cancel-running, ends it")
            }
        }
        // One may end by itself meanwhile.
        for name in collectors.keys where collectors[name] != nil { try await stopCollector(name) }
        for (job, running) in live {
            if cancelRunning { try await cancel(job, until: running.end) } else { _ = try await running.end.value }
        }
        try await fetchOutputs(isDrain: true, listener)
        try await closeMarks(at: journal.state.ended)
        try await recordWindows()
        let ledger = try await makeLedger()
        try await journal.append(.ledger, ledger.json)
        return .object(try await end(with: ledger))
    }

    private func isRunning(_ job: JobState) async throws -> Bool {
        try await link.target().standing(of: job.id, in: job.spool ?? spool) == .running
    }

    /// With everything on our disk the target's copy may go; with a hole it may be the only good one. Failing to remove
    /// it costs space, not data.
    private func end(with ledger: Ledger) async throws -> JSONObject {
        await journal.saveManifest()
        // A later drain goes on with those of a job that is still open.
        if journal.state.openJobs.isEmpty { await removeParts() }
        if ledger.isWhole {
            try? await link.target().removeSpool(spool)
        } else if await link.isConnected {
            try? await link.target().removeSeats(in: spool)
        }
        await link.close()
        return [
            "state": .string(journal.state.status.rawValue), "ledger": .object(ledger.json),
            "complete_percent": ledger.json["complete_percent"],
            "missing": JSON(strings: ledger.missing), "spool": ledger.isWhole ? nil : .string(spool),
            "head_hash": .string(journal.state.checkpoint.hash),
            "seq": .int(journal.state.checkpoint.seq - 1),
        ]
    }

    private func removeParts() async {
        let directory = journal.directory
        try? await worker.run { directory.removeParts() }
    }

    private func stopEverything() async throws {
        ending?.isStoppingCollectors = true
        try await withThrowingTaskGroup { group in
            for name in collectors.keys { group.addTask { _ = try await self.stopCollector(name) } }
            try await group.waitForAll()
        }
        try await closeMarks()
        for name in profile.finally {
            let end = try await runUnasked(name, .finally) { _, _ in }
            // A failed `finally:` is on record; it must not keep the run from ending.
            _ = end
        }
    }

    /// Ends the run without a ledger: cancels what runs, as far as the target can be reached.
    func abort(reason: String?) async throws -> JSON {
        // Two ends at once would run `finally:` twice. Without the link the other one can wait for ever.
        if isEnding, await link.isConnected { throw endingFailure(.busy) }
        begin(.aborting)
        var unfinished: [JobState] = []
        var isQuiet = true
        if await link.isConnected {
            isQuiet = await endTransfers(cancel: true)
            for (job, running) in live { try? await cancel(job, until: running.end) }
            _ = try? await activeStage?.value
            try? await stopEverything()
            await takeLastBaseline(isBrief: true)
            // What waits for the target has to end before the record does.
            if !isQuiet {
                await link.close()
                await giveUpTransfers()
            }
        } else {
            await giveUpTransfers()
        }
        try await closeMarks()
        for job in journal.state.openJobs {
            unfinished.append(job)
            if let loss = job.abandonedFiles { try await journal.append(.artifactPullFailed, loss) }
            let data: JSONObject = [
                "target": .string(Self.targetName), "job": .string(job.id), "reason": .string(JobState.abortReason),
                "outcome": "unknown", job.kind == .collector ? "collector" : "action": .string(job.name),
            ]
            try await journal.append(job.kind == .collector ? .collectorStopped : .actionUnknown, data)
        }
        try await journal.append(
            .runAborted,
            [
                "reason": reason.map { .string($0) },
                "unfinished": unfinished.isEmpty ? nil : JSON(strings: unfinished.map(\.id)),
            ])
        await journal.saveManifest()
        await removeParts()
        let unfetched = journal.state.unfetched.map(\.id)
        let isKept = !unfinished.isEmpty || !unfetched.isEmpty
        var isCleared = false
        if await link.isConnected { isCleared = (try? await removeWhatIsLeft(isKept: isKept)) != nil }
        await link.close()
        let events = journal.directory.events
        return [
            "state": "aborted", "unfinished": .array(unfinished.map(\.sighting)), "unfetched": JSON(strings: unfetched),
            "unsent": isCleared ? nil : try? await worker.run { try UnfinishedUploads(in: events).json },
            "spool": isKept || !isQuiet ? .string(spool) : nil,
        ]
    }

    /// - Parameter isKept: the spool has something of which there is no other copy.
    private func removeWhatIsLeft(isKept: Bool) async throws {
        let target = try await link.target()
        try await isKept ? target.removeSeats(in: spool) : target.removeSpool(spool)
    }

    private func makeLedger() async throws -> Ledger {
        try await recordOpenGaps()
        return try await makeLedger(remote: try await link.target().outputHashes(spool: spool))
    }

    private func makeLedger(remote: [String: (bytes: Int64, sha256: String)]?) async throws -> Ledger {
        let (directory, state, spool) = (journal.directory, journal.state, spool)
        let unmasked = remote == nil ? [:] : try await unmaskedHashes()
        return try await worker.run {
            try Ledger(directory, state, spool: spool, remote: remote, unmasked: unmasked)
        }
    }

    /// What streams with masked secrets were before they were masked. After a resume that is known only by reading the
    /// target's copy again.
    private func unmaskedHashes() async throws -> [String: String] {
        var hashes: [String: String] = [:]
        var bases: [String: Int64] = [:]
        for job in journal.state.jobs {
            let base = job.kind == .collector ? bases[job.name] ?? 0 : 0
            if job.kind == .collector { bases[job.name] = base + job.stdoutBytes }
            if job.spool != spool || job.isAttached { continue }
            for copy in MaskedCopy.all(of: job, in: journal.directory, base: base) {
                var hash = journal.secrets.hash(of: job.id, copy.stream)
                if hash == nil {
                    do { hash = try await copy.hash(on: try await link.target(), worker) } catch let error as SSHError {
                        throw ECRFailure(error)
                    }
                }
                hashes["\(job.id)/\(copy.stream)"] = hash
            }
        }
        return hashes
    }
}
