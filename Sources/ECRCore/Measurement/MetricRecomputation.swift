package import EventLog
import Hashing
package import JSON
import LinuxSystem
import Profiles
package import RunStore

/// Takes the metrics of all jobs again from their stored files, with the run's own profile or another one, and the windows
/// of a run that is over. Nothing is changed: the events that it gives are appended.
package struct MetricRecomputation: Sendable {
    package private(set) var events: [(type: EventType, data: JSONObject)] = []
    private var jobs: [JSON] = []
    private let number: Int64
    private let profile: JSONObject

    /// Reads the stream and the files; blocks its thread.
    /// - Parameter file: the profile; nil for the run's own.
    package init(_ directory: RunDirectory, _ state: RunState, _ file: ProfileFile?) throws {
        let record = try StartedJobs(directory)
        number = record.lastDerivation + 1
        profile =
            file.map { ["profile": .string($0.path), "profile_sha256": .string(SHA256.hexDigest(of: $0.bytes))] } ?? [:]
        let source = try file?.profile ?? ProfileFile(snapshotOf: directory).profile
        for job in state.jobs where job.kind == .action && job.outcome != .running {
            let action = source.action(named: job.name)
            if action?.metrics.isEmpty != false && job.metrics == nil { continue }
            let started = record.started[job.id] ?? [:]
            let metrics = try action.map { try Self.prepare($0, for: job, started, source) } ?? []
            let files = JobFiles(job, workdir: started["workdir"]?.string, in: state, directory)
            add(MetricDerivation(metrics, from: files, number: number, by: .recompute), job)
        }
        if state.isOver { events += WindowRecord(directory, state).events }
    }

    private mutating func add(_ derivation: MetricDerivation, _ job: JobState) {
        events += derivation.events(job, profile: profile)
        jobs.append([
            "job": .string(job.id), "metrics": JSON(derivation.series.count { !$0.values.isEmpty }),
            "warnings": JSON(strings: derivation.warnings),
        ])
    }

    /// For whoever asked.
    package var json: JSON {
        ["derivation": .int(number), "profile": profile["profile"], "jobs": .array(jobs)]
    }

    /// The metrics with the values of the job's parameters.
    private static func prepare(
        _ action: Action, for job: JobState, _ started: JSONObject, _ profile: Profile
    ) throws(ECRFailure) -> [PreparedMetric] {
        let given = (started["parameters"]?.object?.members ?? []).map { ($0.key, $0.value.string ?? "") }
        do {
            let values = try profile.parameters(for: action, given: [], standing: given)
            return action.metrics.map { PreparedMetric($0, values) }
        } catch {
            throw ECRFailure(.usage, "the metrics of \(job.id) can't be taken with this profile: \(error.message)")
        }
    }
}

/// What the stream says of the beginning of jobs, and of derivations.
private struct StartedJobs {
    var started: [String: JSONObject] = [:]
    var lastDerivation: Int64 = 0

    init(_ directory: RunDirectory) throws {
        var reader = try EventReader(path: directory.events)
        while let event = try reader.next() {
            switch event.type {
            case .actionStarted: if let job = event.data["job"]?.string { started[job] = event.data }
            case .metric, .metricsDerived:
                lastDerivation = max(lastDerivation, event.data["derivation"]?.int ?? 0)
            default: break
            }
        }
    }
}
