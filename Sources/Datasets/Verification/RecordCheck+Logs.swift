import EventLog
import JSON
import RunStore

/// What jobs and collectors have written, against the events that tell of it.
extension RecordCheck {
    /// Compares what an event says with the files that it names, or notes it for later.
    /// - Returns: what is wrong with the event itself.
    mutating func look(at event: Event) -> String? {
        let data = event.data
        switch event.type {
        case .runCreated:
            profileHashes = (data["profile_sha256"]?.string, data["resolved_sha256"]?.string)
            return nil
        case .actionStarted, .collectorStarted: return begin(data)
        case .commandOutput: return compareOutput(data)
        case .collectorOutput: return compareSamples(data)
        case .actionCompleted, .actionFailed, .actionCancelled, .actionUnknown: return compareEnd(data)
        case .artifactPulled: return note(artifact: data)
        case .note:
            let attachments = data["attachments"]?.array ?? []
            return attachments.compactMap { note(artifact: $0.object ?? [:]) }.first
        case .logRecovered:
            if let name = data["kept_as"]?.string { torn[FileName(name)] = data["bytes"]?.int ?? 0 }
            return nil
        default: return nil
        }
    }

    private mutating func begin(_ data: JSONObject) -> String? {
        if let collector = data["collector"]?.string, Self.isPlain(collector) {
            open(run.collectorLog(collector))
            open(run.collectorRows(collector))
        } else if let job = data["job"]?.string, Self.isPlain(job) {
            for stream in Self.streams { open(run.actionLog(job: job, stream: stream)) }
        } else {
            return "a start lacks its name"
        }
        return nil
    }

    private static let streams = ["stdout", "stderr"]

    @discardableResult
    private mutating func open(_ file: String) -> FileName {
        let name = FileName(run.relative(file))
        if logs[name] == nil { logs[name] = RecordedLog(name.text) }
        known.insert(name)
        return name
    }

    private mutating func compareOutput(_ data: JSONObject) -> String? {
        guard let job = data["job"]?.string, let stream = data["stream"]?.string, Self.isPlain(job),
            Self.isPlain(stream), let offset = data["offset"]?.int, let length = data["length"]?.int
        else { return "a piece of output lacks its job, stream, offset or length" }
        let content: RecordedLog.Content
        if let text = data["text"]?.string {
            content = .bytes(Array(text.utf8))
        } else if let text = data["base64"]?.string {
            guard let bytes = Base64.decode(text) else { return "a piece of output is not base64" }
            content = .bytes(bytes)
        } else if let hash = data["sha256"]?.string {
            content = .sha256(hash)
        } else {
            return "a piece of output has neither its bytes nor their hash"
        }
        return compare(open(run.actionLog(job: job, stream: stream)), offset, length, content)
    }

    private mutating func compareSamples(_ data: JSONObject) -> String? {
        guard let collector = data["collector"]?.string, Self.isPlain(collector), let length = data["length"]?.int
        else { return "a piece of samples lacks its collector or length" }
        let log = open(run.collectorLog(collector))
        let table = open(run.collectorRows(collector))
        let problem = compare(log, endingAt: data["log_bytes"]?.int, length, data["sha256"])
        // Rows without a hash are those of an earlier version, which told their length only from the table's beginning.
        let behind = data["table_bytes"]?.int ?? 0
        guard let rows = data["table_length"]?.int ?? logs[table].map({ behind - $0.length }), rows > 0 else {
            return problem
        }
        return compare(table, endingAt: behind, rows, data["table_sha256"]) ?? problem
    }

    private mutating func compare(_ log: FileName, endingAt end: Int64?, _ length: Int64, _ hash: JSON?) -> String? {
        if hash == nil { samplesWithoutHash += 1 }
        let start = end.map { $0 &- length } ?? logs[log]?.length ?? 0
        return compare(log, start, length, hash?.string.map { .sha256($0) } ?? .nothing)
    }

    private mutating func compare(
        _ log: FileName, _ start: Int64, _ length: Int64, _ content: RecordedLog.Content
    ) -> String? {
        compared.insert(log)
        return logs[log]?.compare(files, from: start, count: length, content)
    }

    private func compareEnd(_ data: JSONObject) -> String? {
        guard let job = data["job"]?.string else { return "an end lacks its job" }
        for stream in Self.streams {
            guard let told = data["\(stream)_bytes"]?.int else { continue }
            let recorded = logs[FileName(run.relative(run.actionLog(job: job, stream: stream)))]?.length ?? 0
            if told != recorded { return "\(job) ended with \(told) bytes of \(stream), \(recorded) are recorded" }
        }
        return nil
    }

    /// Says what is wrong with each log, once all events are read.
    mutating func checkLogs() {
        markFinalLogs()
        for (_, log) in logs.sorted(by: { $0.key < $1.key }) {
            if let message = log.damage(files) { damage(log.path, message) }
            let surplus = log.surplus(files)
            if surplus > 0 && log.length > 0 && badLines == 0 && !result.isLive {
                result.remarks.append(
                    "\(log.path): \(surplus) bytes behind the \(log.length) that are recorded; they were never acknowledged"
                )
            }
        }
        if samplesWithoutHash > 0 {
            result.remarks.append(
                "\(samplesWithoutHash) pieces of samples were recorded without a hash: only their lengths were compared"
            )
        }
    }

    /// Jobs that have ended write no more. A line that could not be read may have been about any of them.
    private mutating func markFinalLogs() {
        guard badLines == 0 else { return }
        var last: [String: JobState] = [:]
        for job in state.jobs {
            if job.kind == .collector {
                last[job.name] = job
            } else if job.hasKnownEnd {
                for stream in Self.streams { markFinal(run.actionLog(job: job.id, stream: stream)) }
            }
        }
        // A live run may have begun another job of the collector since.
        for (name, job) in last where job.hasKnownEnd && !result.isLive {
            markFinal(run.collectorLog(name))
            // Its header stands there before the first row.
            if job.tableBytes > 0 { markFinal(run.collectorRows(name)) }
        }
    }

    private mutating func markFinal(_ file: String) { logs[FileName(run.relative(file))]?.isFinal = true }

    /// Whether a name from the record, which may come from anywhere, is one component of a path.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }
}

extension JobState {
    fileprivate var hasKnownEnd: Bool { outcome != .running && outcome != .unknown }
}
