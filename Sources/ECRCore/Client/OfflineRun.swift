package import EventLog
package import JSON
import LinuxSystem
package import RunStore

/// Appends to a run that has no supervisor: the client itself takes the right to append.
package struct OfflineRun {
    private let run: RunDirectory
    private let writer: EventWriter

    /// Takes the right to append. Another client holds it for milliseconds only, so a short wait is enough.
    /// - Throws: `.busy` when somebody else keeps it.
    package init(_ run: RunDirectory) throws(ECRFailure) {
        self.run = run
        do { writer = try EventWriter.openPatiently(path: run.events) } catch { throw ECRFailure(error) }
        let state = try ECRFailure.catching { try run.state() }
        let isInterrupted = state.status == .running || state.status == .paused
        if isInterrupted && !state.isInterruptionRecorded {
            try append(.runInterrupted, ["last_event_time": .string(state.lastTime)])
        }
    }

    /// Appends one event, which is on disk on return, and renews the manifest.
    /// - Parameter attachments: files that get their places with it.
    @discardableResult
    package func record(
        _ type: EventType, _ data: JSONObject, _ attachments: [Attachment] = []
    ) throws(ECRFailure) -> Event {
        let event = try append(type, data, complete: Attachment.completion(attachments, in: run))
        refresh()
        return event
    }

    /// Takes all metrics again from the stored files, and appends them.
    /// - Parameter profile: another profile than the run's own.
    package func recomputeMetrics(_ profile: ProfileFile?) throws(ECRFailure) -> JSON {
        let recomputation = try ECRFailure.catching { try MetricRecomputation(run, try run.state(), profile) }
        for event in recomputation.events.dropLast() { writer.post(event.type, event.data) }
        if let last = recomputation.events.last { try append(last.type, last.data) }
        refresh()
        return recomputation.json
    }

    /// Ends a created or interrupted run. What became of its open jobs is unknown, and recorded as that.
    /// - Returns: the jobs that were open.
    package func abort(reason: String?) throws(ECRFailure) -> [JobState] {
        let state = try ECRFailure.catching { try run.state() }
        // Somebody else may have been faster; now the right to append is ours.
        guard !state.isOver else { throw ECRFailure(.usage, "run \(run.id) is \(state.status.rawValue) already") }
        for job in state.openJobs {
            if let loss = job.abandonedFiles { try append(.artifactPullFailed, loss) }
            if job.kind == .collector {
                try append(
                    .collectorStopped,
                    [
                        "collector": .string(job.name), "job": .string(job.id), "outcome": "unknown",
                        "reason": .string("\(JobState.abortReason) offline"),
                    ])
            } else {
                try append(
                    .actionUnknown,
                    [
                        "action": .string(job.name), "job": .string(job.id),
                        "reason": .string("\(JobState.abortReason) offline"),
                    ])
            }
        }
        let now = Clock.iso8601(microseconds: Clock.wallMicroseconds())
        for mark in state.rules.closingMarks(at: now) { try append(.intervalMarked, mark) }
        try append(.runAborted, ["reason": reason.map { .string($0) }, "offline": true])
        refresh()
        run.removeParts()
        return state.openJobs
    }

    @discardableResult
    private func append(
        _ type: EventType, _ data: JSONObject, complete: EventWriter.Completion? = nil
    ) throws(ECRFailure) -> Event {
        do { return try writer.appendBlocking(type, data, complete: complete) } catch { throw ECRFailure(error) }
    }

    /// The manifest is a summary: an event is on record without it.
    private func refresh() { if let state = try? run.state() { try? run.save(state) } }
}
