import EventLog
import JSON
import LinuxSystem
import RunStore

/// Metrics that are taken again, and what the collectors saw while actions ran.
extension RunEngine {
    /// Takes all metrics again from the stored files.
    /// - Parameter profile: the path of another profile than the run's own.
    func recomputeMetrics(profile: String?) async throws -> JSON {
        try requireActive()
        let (directory, state) = (journal.directory, journal.state)
        let recomputation = try await worker.run {
            try MetricRecomputation(directory, state, try profile.map { try ProfileFile($0, directory: nil) })
        }
        try await append(recomputation.events)
        await journal.saveManifest()
        return recomputation.json
    }

    /// Once every sample is on record.
    func recordWindows() async throws {
        let (directory, state) = (journal.directory, journal.state)
        try await append(try await worker.run { WindowRecord(directory, state).events })
    }

    /// Appends events together.
    private func append(_ events: [(type: EventType, data: JSONObject)]) async throws {
        for event in events.dropLast() { journal.post(event.type, event.data) }
        if let last = events.last { try await journal.append(last.type, last.data) }
    }
}
