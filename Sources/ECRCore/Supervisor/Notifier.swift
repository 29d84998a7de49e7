import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// Runs the command that is to be told of events: one event after the other, on a thread of its own, so that the run never
/// waits for it. What it says and what becomes of it stands in `logs/supervisor.log`.
///
/// It finds `ECR_EVENT` (the type), `ECR_SEQ`, `ECR_RUN`, `ECR_RUN_DIR` and `ECR_RUNS_DIR` in its environment, so that an
/// `ecr` in it means this run, and the event's line on its stdin.
final class Notifier: Sendable {
    private let types: Set<EventType>
    private let command: String
    private let directory: String
    private let run: RunDirectory
    private let events = Mailbox<Event>()
    private let ended = Mailbox<Never>()
    private let counts = Locked((waiting: 0, dropped: 0))
    /// When what still waits at the end of the supervisor is given up, as boottime.
    private let deadline = Locked<Int64?>(nil)

    /// Events that may wait. Origin: a burst of ends of jobs, not a stream of output.
    private static let capacity = 64
    /// Seconds. Origin: a message over a bad link; whoever needs longer starts a process of its own.
    private static let timeout: Int64 = 60

    /// - Parameter setting: `{on, run, directory}`, as `run_created` has it; without one there is nothing to do.
    init?(_ setting: JSONObject?, _ run: RunDirectory) {
        guard let types = setting?["on"]?.array, let command = setting?["run"]?.string,
            let directory = setting?["directory"]?.string
        else { return nil }
        self.types = Set(types.compactMap(\.string).map(EventType.init(rawValue:)))
        self.command = command
        self.directory = directory
        self.run = run
        startThread { [self] in
            while let batch = events.takeAll() { for event in batch { tell(event) } }
            ended.close()
        }
    }

    /// Queues those of the events that are wanted; beyond the capacity they are left out.
    func take(_ news: [Event]) {
        for event in news where types.contains(event.type) {
            let hasRoom = counts.withLock { counts in
                if counts.waiting >= Self.capacity {
                    counts.dropped += 1
                    return false
                }
                counts.waiting += 1
                return true
            }
            if hasRoom { events.send(event) }
        }
    }

    /// Waits until all that was queued has been told, or its time is up. Blocks its thread.
    func finish() {
        deadline.withLock { $0 = Clock.boottimeNanoseconds() + Self.timeout * 1_000_000_000 }
        events.close()
        _ = ended.takeAll()
    }

    private func tell(_ event: Event) {
        let dropped = counts.withLock { counts in
            counts.waiting -= 1
            defer { counts.dropped = 0 }
            return counts.dropped
        }
        if dropped > 0 { log("\(dropped) events were left out: \(Self.capacity) waited already") }
        let left = timeLeft
        guard left > 0 else {
            return log("\(event.type.rawValue) (event \(event.seq)) was left out: the supervisor ends")
        }
        do { note(try start(event, left), of: event) } catch { log("cannot run `\(command)`: \(error)") }
    }

    /// Milliseconds.
    private var timeLeft: Int32 {
        let whole = Self.timeout * 1000
        let left = deadline.withLock { $0 }.map { ($0 - Clock.boottimeNanoseconds()) / 1_000_000 } ?? whole
        return Int32(max(0, min(whole, left)))
    }

    private func start(_ event: Event, _ timeout: Int32) throws(SystemError) -> ShellCommand.Outcome {
        let log = try File(path: run.supervisorLog, O_WRONLY | O_CREAT | O_APPEND)
        let environment = [
            "ECR_EVENT": event.type.rawValue, "ECR_SEQ": String(event.seq), "ECR_RUN": run.id, "ECR_RUN_DIR": run.path,
            "ECR_RUNS_DIR": FileSystem.parent(of: run.path),
        ]
        let command = ShellCommand(
            command, directory: directory, environment: environment, input: event.line + [0x0A])
        return try command.run(log: log, timeout: timeout)
    }

    private func note(_ outcome: ShellCommand.Outcome, of event: Event) {
        let what: String
        switch outcome {
        case .exited(0): return
        case .exited(let code): what = "exited \(code)"
        case .killed(let signal): what = "was killed by signal \(signal)"
        case .timedOut: what = "was killed: its time was up"
        }
        log("`\(command)` for \(event.type.rawValue) (event \(event.seq)) \(what)")
    }

    private func log(_ text: String) { Supervisor.log("notify: \(text)") }
}
