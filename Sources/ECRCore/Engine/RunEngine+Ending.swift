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
    func complete(wait: Bool, cancelRunning: Bool) async throws -> JSON {
        try requireActive()
        guard await link.isConnected else {
            throw ECRFailure(
                .unreachable, "the target is not connected: the ledger can't be made", hint: "ecr run status")
        }
        if !wait && !cancelRunning, let job = live.keys.sorted().first {
            throw ECRFailure(
                .busy, "\(job) still runs", hint: "ecr run complete --wait, or ecr run complete --cancel-running")
        }
        try requireActive()
        beginEnding()
        let ledger: Ledger
        do {
            for (job, running) in live {
                if cancelRunning { try await cancel(job, until: running.end) } else { _ = try await running.end.value }
            }
            _ = try await activeStage?.value
            try await stopEverything()
            ledger = try await makeLedger()
        } catch {
            isEnding = false
            throw error
        }
        try await journal.append(.ledger, ledger.json)
        let event = try await journal.append(.runCompleted, ["complete": .bool(ledger.isWhole)])
        try await journal.saveManifest()
        // With everything on our disk the target's copy may go; with a hole it may be the only good one.
        // Failing to remove it costs space, not data.
        if ledger.isWhole { try? await link.target().removeSpool(spool) }
        await link.close()
        return [
            "state": "completed", "ledger": .object(ledger.json), "complete_percent": ledger.json["complete_percent"],
            "missing": JSON(strings: ledger.missing), "spool": ledger.isWhole ? nil : .string(spool),
            "head_hash": .string(journal.state.checkpoint.hash),
            "seq": .int(event.seq),
        ]
    }

    private func stopEverything() async throws {
        try await withThrowingTaskGroup { group in
            for name in collectors.keys { group.addTask { _ = try await self.stopCollector(name) } }
            try await group.waitForAll()
        }
        for name in profile.finally {
            let end = try await runUnasked(name, .finally) { _, _ in }
            // A failed `finally:` is on record; it must not keep the run from ending.
            _ = end
        }
    }

    /// Ends the run without a ledger: cancels what runs, as far as the target can be reached.
    func abort(reason: String?) async throws -> JSON {
        beginEnding()
        var unfinished: [String] = []
        if await link.isConnected {
            for (job, running) in live { try? await cancel(job, until: running.end) }
            _ = try? await activeStage?.value
            try? await stopEverything()
        }
        for job in journal.state.openJobs {
            unfinished.append(job.id)
            let data: JSONObject = [
                "target": .string(Self.targetName), "job": .string(job.id), "reason": "the run was aborted",
                "outcome": "unknown", job.kind == .collector ? "collector" : "action": .string(job.name),
            ]
            try await journal.append(job.kind == .collector ? .collectorStopped : .actionUnknown, data)
        }
        try await journal.append(
            .runAborted,
            [
                "reason": reason.map { .string($0) },
                "unfinished": unfinished.isEmpty ? nil : JSON(strings: unfinished),
            ])
        try await journal.saveManifest()
        if unfinished.isEmpty, await link.isConnected { try? await link.target().removeSpool(spool) }
        await link.close()
        return ["state": "aborted", "unfinished": JSON(strings: unfinished)]
    }

    private func makeLedger() async throws -> Ledger {
        let remote: [String: (bytes: Int64, sha256: String)]
        do { remote = try await link.target().outputHashes(spool: spool) } catch let error as SSHError {
            throw ECRFailure(error)
        }
        let (directory, state, spool) = (journal.directory, journal.state, spool)
        return try await worker.run { try Ledger(directory, state, spool: spool, remote: remote) }
    }
}
