import EventLog
import JSON
import RunStore

/// The windows of a run's jobs as events: those that are not on record yet, or are different now.
struct WindowRecord {
    private(set) var events: [(type: EventType, data: JSONObject)] = []

    /// Reads the collectors' tables; blocks its thread.
    init(_ directory: RunDirectory, _ state: RunState) {
        let windows = ActionWindows(directory, state).windows
        for job in state.jobs {
            guard let window = windows[job.id], !window.fields.isEmpty, window != job.window else { continue }
            var data: JSONObject = [
                "target": .string(RunEngine.targetName), "action": .string(job.name), "job": .string(job.id),
            ]
            data.merge(window.members(count: nil))
            events.append((.actionWindow, data))
        }
    }
}
