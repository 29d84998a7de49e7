import EventLog
import JSON

/// What is on record of a job beside its output. When the job is taken up again none of it is recorded a second time.
struct RecordedSteps: Sendable {
    /// The data of the job's `action_started`; nil where there is none.
    private(set) var started: JSONObject?
    private(set) var metrics = RecordedMetrics()
    private var commands: Set<String> = []
    private var pulled: [Pulled] = []
    private var failures: [Failure] = []

    private struct Pulled: Sendable {
        let remote: JSONObject
        let path: String
    }

    private struct Failure: Sendable, Equatable {
        let remote: JSONObject
        let reason: String?
    }

    /// For a job that begins now.
    init() {}

    /// Reads the whole stream.
    init(of job: String, in path: String) throws {
        var reader = try EventReader(path: path)
        while let event = try reader.next() {
            if event.data["job"]?.string == job { take(event) }
        }
    }

    private mutating func take(_ event: Event) {
        switch event.type {
        case .actionStarted: started = event.data
        case .commandStarted, .commandCompleted, .commandFailed:
            commands.insert(Self.key(event.type, event.data["index"]?.int))
        case .metric, .metricsDerived: metrics.take(event)
        case .artifactPulled:
            pulled.append(Pulled(remote: Self.remote(event.data), path: event.data["path"]?.string ?? ""))
        case .artifactPullFailed:
            failures.append(Failure(remote: Self.remote(event.data), reason: event.data["reason"]?.string))
        default: break
        }
    }

    private static func key(_ type: EventType, _ index: Int64?) -> String { "\(type.rawValue) \(index ?? -1)" }

    private static func remote(_ data: JSONObject) -> JSONObject {
        ["remote": data["remote"], "remote_base64": data["remote_base64"]]
    }

    /// Lets a pull that is tried again tell its failures anew.
    mutating func forgetFailures() { failures = [] }

    func has(_ type: EventType, index: Int) -> Bool { commands.contains(Self.key(type, Int64(index))) }

    /// Local paths, relative to the run directory.
    var pulledPaths: [String] { pulled.map(\.path) }

    /// Where a file was pulled to, once for each time that it was.
    /// - Parameter remote: the file's name as it stands in events.
    mutating func takePulled(_ remote: JSONObject) -> String? {
        guard let index = pulled.firstIndex(where: { $0.remote == Self.remote(remote) }) else { return nil }
        return pulled.remove(at: index).path
    }

    /// Whether a pull is on record as failed for this reason, once for each time that it is.
    mutating func takeFailure(_ remote: JSONObject, reason: String) -> Bool {
        let failure = Failure(remote: Self.remote(remote), reason: reason)
        guard let index = failures.firstIndex(of: failure) else { return false }
        failures.remove(at: index)
        return true
    }
}
