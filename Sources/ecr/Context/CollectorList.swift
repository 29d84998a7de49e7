import JSON
import LinuxSystem
import RunStore

/// The collectors of a run: those of its profile in their order, each with what the events say of it.
struct CollectorList {
    struct Entry {
        let name: String
        let job: String?
        /// running, stopped, not started, or unknown: without a supervisor nobody knows whether it still samples.
        let state: String
        /// Why it has ended, where nobody had asked for it.
        let reason: String?
        let samples: Int64
        /// Those of which its format could take nothing.
        let unparsed: Int64
        /// What was wrong with samples, each reason once.
        let problems: [String]

        /// `stopped: killed by signal 9, 12 samples, 3 did not parse; it is not JSON`.
        var sentence: String {
            let problems = problems.map { "; \($0)" }.joined()
            return "\(state)\(reason.map { ": \($0)" } ?? ""), \(Amount.count(samples, "sample"))"
                + (unparsed > 0 ? ", \(unparsed) did not parse" : "") + problems
        }
    }

    let entries: [Entry]

    init(_ run: ChosenRun) { self.init(run, run.state) }

    /// - Parameter state: of the run, as it is known by now.
    init(_ run: ChosenRun, _ state: RunState) {
        let jobs = state.jobs.filter { $0.kind == .collector }
        var names = Self.names(of: run.directory)
        for job in jobs where !names.contains(job.name) { names.append(job.name) }
        entries = names.map { name in
            let own = jobs.filter { $0.name == name }
            return Entry(
                name: name, job: own.last?.id, state: Self.word(for: own.last, isLive: run.isLive),
                reason: own.last?.reason, samples: own.reduce(0) { $0 + $1.samples },
                unparsed: own.reduce(0) { $0 + $1.unparsed }, problems: run.state.collectors.problems(of: name))
        }
    }

    private static func word(for job: JobState?, isLive: Bool) -> String {
        switch job?.outcome {
        case nil: "not started"
        case .running: isLive ? "running" : "unknown"
        case .unknown: "unknown"
        default: "stopped"
        }
    }

    /// In the form of the supervisor's answer to `collector_list`.
    var json: JSON {
        let list = entries.map { entry -> JSON in
            [
                "name": .string(entry.name), "job": entry.job.map { .string($0) }, "state": .string(entry.state),
                "reason": entry.reason.map { .string($0) }, "samples": .int(entry.samples),
                "unparsed": .int(entry.unparsed), "problems": JSON(strings: entry.problems),
            ]
        }
        return ["collectors": .array(list)]
    }

    private static func names(of run: RunDirectory) -> [String] {
        guard let bytes = try? FileSystem.read(run.profileResolved), let json = try? JSON(parsing: bytes) else {
            return []
        }
        return json["background_collectors"]?.object?.members.map(\.key) ?? []
    }
}
