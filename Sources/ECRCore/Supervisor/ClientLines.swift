import JSON
import LinuxSystem

/// The lines that wait to be written to one client. One that was stopped (Ctrl-Z) reads nothing for hours, in which it must
/// not fill the supervisor's memory: of what goes on only the latest is kept then. Thread-safe.
final class ClientLines: Sendable {
    private let lines = Mailbox<[UInt8]>()
    private let waiting = Locked(Waiting())

    private struct Waiting {
        var count = 0
        /// What was told last of each subject, beyond the most lines.
        var latest: [String: [UInt8]] = [:]
    }

    /// Origin: some MiB; whoever reads at all is never so far behind.
    static let most = 50_000

    /// Queues a line; false once no more are taken.
    @discardableResult
    func send(_ json: JSON) -> Bool {
        waiting.withLock { waiting in
            for line in waiting.latest.values { add(line, &waiting) }
            waiting.latest = [:]
            return add(Self.line(json), &waiting)
        }
    }

    /// Queues what goes on with a job. For a client that is far behind news of the same kind replaces what was told before
    /// it, and files that have come are named in the answer alone.
    func tell(_ news: JobNews, of job: String) {
        let subject: String
        switch news {
        case .recorded(let stream, _): subject = "\(job) \(stream)"
        case .transferring: subject = "transferring"
        case .transferred: subject = ""
        case .begun, .phase, .progress, .holding, .ended:
            send(JSON(news, of: job))
            return
        }
        let line = Self.line(JSON(news, of: job))
        waiting.withLock { waiting in
            if waiting.count < Self.most {
                add(line, &waiting)
            } else if !subject.isEmpty {
                waiting.latest[subject] = line
            }
        }
    }

    /// No more lines are taken.
    func close() { lines.close() }

    /// Waits for lines and takes all of them; nil once there will be none.
    func takeAll() -> [[UInt8]]? {
        guard let batch = lines.takeAll() else { return nil }
        return waiting.withLock { waiting in
            waiting.count -= batch.count
            defer { waiting.latest = [:] }
            return batch + waiting.latest.values
        }
    }

    @discardableResult
    private func add(_ line: [UInt8], _ waiting: inout Waiting) -> Bool {
        let isTaken = lines.send(line)
        if isTaken { waiting.count += 1 }
        return isTaken
    }

    private static func line(_ json: JSON) -> [UInt8] { json.bytes + [0x0A] }
}
