import ECRCore
import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// A run that is looked at while it goes on: its state, the series of its collectors, and what its supervisor says.
struct WatchedRun: ~Copyable {
    let chosen: ChosenRun
    private(set) var state: RunState
    private var reader: EventReader
    /// By collector and field, in the order of their first coming.
    private(set) var series: [(name: String, last: Double, line: Sparkline)] = []
    let supervisor: SupervisorStatus

    /// Origin: two minutes of a sample every three seconds, on a quarter of a screen.
    private static let sparklineWidth = 40

    init(_ run: ChosenRun) throws {
        let known = try run.directory.state()
        // Whatever may fail comes first.
        let tail = try EventReader(path: run.directory.events, from: known.checkpoint)
        (chosen, state) = (run, known)
        reader = tail
        supervisor = SupervisorStatus(run)
        for collector in CollectorList(run).entries {
            for (field, value) in state.latest.of(collector.name)?.values.members ?? [] {
                if let number = value.double { add("\(collector.name).\(field)", number) }
            }
        }
    }

    /// Takes in what was appended.
    /// - Returns: those events.
    mutating func catchUp() throws -> [Event] {
        var news: [Event] = []
        while let event = try reader.next() {
            state.apply(event)
            state.checkpoint = reader.checkpoint
            news.append(event)
            if event.type == .collectorOutput { addSamples(event.data) }
        }
        return news
    }

    private mutating func addSamples(_ data: JSONObject) {
        guard let collector = data["collector"]?.string else { return }
        for row in data["rows"]?.array ?? [] {
            for (field, value) in LatestSamples.values(of: row)?.members ?? [] {
                if let number = value.double { add("\(collector).\(field)", number) }
            }
        }
    }

    private mutating func add(_ name: String, _ value: Double) {
        if let index = series.firstIndex(where: { $0.name == name }) {
            series[index].last = value
            series[index].line.add(value)
        } else {
            var line = Sparkline(width: Self.sparklineWidth)
            line.add(value)
            series.append((name, value, line))
        }
    }
}

/// The end of what a job has written so far.
struct JobTail {
    private let directory: RunDirectory
    private let job: JobState

    init(_ directory: RunDirectory, _ job: JobState) {
        self.directory = directory
        self.job = job
    }

    /// Origin: more than fits on a screen of long lines.
    private static let window: Int64 = 16_384

    func lines(_ count: Int) -> [String] {
        guard count > 0, job.stdoutBytes > 0,
            let file = try? File(path: directory.actionLog(job: job.id, stream: "stdout"), O_RDONLY)
        else { return [] }
        let from = max(0, job.stdoutBytes - Self.window)
        guard let bytes = try? file.read(at: from, count: Int(job.stdoutBytes - from)) else { return [] }
        return SafeText.output(bytes).split(separator: "\n").suffix(count).map(String.init)
    }
}

/// What the supervisor says of the run, asked once a second by a thread of its own: one that is stopped must not stop the
/// screen.
final class SupervisorStatus: Sendable {
    private let answer = Locked<JSON?>(nil)

    init(_ run: ChosenRun) {
        let directory = run.directory
        startThread {
            while true {
                let status =
                    directory.hasSupervisor() ? try? ControlClient(directory).request(["request": "status"]) : nil
                self.answer.withLock { $0 = status }
                usleep(1_000_000)
            }
        }
    }

    var last: JSON? { answer.withLock { $0 } }
}
