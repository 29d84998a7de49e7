import ECRCore
import JSON
import LinuxSystem
import RunStore

/// Shows the output of jobs from their raw logs, as far as the supervisor says that it is on record.
struct JobLogs {
    private let directory: RunDirectory
    private let stdout: Place
    /// What has been shown, by log.
    private var logs: [String: (file: File, shown: Int64)] = [:]

    /// What becomes of the jobs' stdout; their stderr always goes to ours.
    enum Place {
        case stdout
        /// Ours is for one result, such as the id of the run that is being started.
        case stderr
        /// Ours is for JSON.
        case nowhere
    }

    init(_ directory: RunDirectory, stdout: Place) {
        self.directory = directory
        self.stdout = stdout
    }

    /// Whether what was shown last ended within a line.
    private(set) var isMidLine = false

    mutating func show(_ message: ControlClient.Message) {
        switch message {
        case .recorded(let job, let stream, let bytes): show(job: job, stream: stream, upTo: bytes)
        case .progress(let text): Terminal.say(text)
        case .ended(let result): JobStream.tell(result)
        case .event, .begun, .phase, .holding, .link, .transferring, .transferred: break
        }
    }

    /// Shows what is new in a log, up to an offset.
    mutating func show(job: String, stream: String, upTo end: Int64) {
        let isError = stream == "stderr" || stdout == .stderr
        if !isError && stdout == .nowhere { return }
        let path = directory.actionLog(job: job, stream: stream)
        guard var log = logs[path] ?? (try? File(path: path, 0)).map({ ($0, 0) }) else { return }
        while log.shown < end {
            let count = Int(min(end - log.shown, 1 << 16))
            guard let bytes = try? log.file.read(at: log.shown, count: count), !bytes.isEmpty else { break }
            Terminal.jobOutput(bytes, isError: isError)
            log.shown += Int64(bytes.count)
            isMidLine = bytes.last != 0x0A
        }
        logs[path] = log
    }
}
