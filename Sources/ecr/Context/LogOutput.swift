import ECRCore
import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// What jobs have written, piece by piece in the order of the record; the bytes come from the raw logs.
struct LogOutput {
    enum Subject {
        case all
        /// Some streams of one job; with `isMerged` everything goes to stdout.
        case job(JobState, streams: [String], isMerged: Bool)
        case collector(JobState)
    }

    private let run: RunDirectory
    private let subject: Subject
    private var writer: LogWriter
    private var lines = LabelledLines()
    private var files: [String: File] = [:]
    /// How much of a collector's table has been shown.
    private var tableShown: Int64 = 0
    private var hasEnded = false

    init(_ run: RunDirectory, _ subject: Subject, tail: Int?) {
        self.run = run
        self.subject = subject
        writer = LogWriter(tail: tail)
    }

    /// Shows what is there, and with `isFollowing` what comes until the job or the run has ended.
    mutating func show(isFollowing: Bool) throws(ECRFailure) {
        var failure: (any Error)?
        do { try read(isFollowing: isFollowing) } catch { failure = error }
        for line in lines.end() { writer.write(line, isError: false) }
        writer.release()
        if let failure { throw ECRFailure(failure) }
    }

    private mutating func read(isFollowing: Bool) throws {
        var events = try EventTail(run)
        repeat {
            while !hasEnded, let event = try events.next() { try take(event) }
            if isFollowing { writer.release() }
        } while isFollowing && !hasEnded && events.wait()
    }

    private mutating func take(_ event: Event) throws {
        let data = event.data
        switch (subject, event.type) {
        case (.all, .commandOutput):
            let stream = data["stream"]?.string == "stderr" ? "err" : "out"
            label(try bytes(of: event), "\(data["job"]?.string ?? "?") \(stream)", event.time)
        case (.all, .collectorOutput): labelSamples(event)
        case (.job(let job, let streams, let isMerged), .commandOutput):
            guard data["job"]?.string == job.id, let stream = data["stream"]?.string, streams.contains(stream) else {
                return
            }
            writer.write(try bytes(of: event), isError: stream == "stderr" && !isMerged)
        case (.collector(let job), .collectorOutput):
            guard data["collector"]?.string == job.name, let end = data["table_bytes"]?.int else { return }
            writer.write(try bytes(of: run.collectorRows(job.name), from: tableShown, to: end), isError: false)
            tableShown = end
        case (_, .collectorStopped): noteEnd(of: data["job"]?.string ?? "")
        case (_, let type): if EventType.actionEnds.contains(type) { noteEnd(of: data["job"]?.string ?? "") }
        }
    }

    private mutating func noteEnd(of id: String) {
        switch subject {
        case .all: for line in lines.end("\(id) ") { writer.write(line, isError: false) }
        case .job(let job, _, _), .collector(let job): hasEnded = job.id == id
        }
    }

    private mutating func labelSamples(_ event: Event) {
        let name = "\(event.data["job"]?.string ?? "?") row"
        for row in event.data["rows"]?.array ?? [] {
            let text = row["text"]?.string.map { Array($0.utf8) } ?? row["base64"]?.string.flatMap(Base64.decode)
            let length = row["length"]?.int.map { Array("(\(Amount.bytes($0)), in the collector's log)".utf8) }
            // A sample is a whole, whether it ends with a newline or not.
            label(text ?? length ?? [], name, row["time"]?.string ?? event.time)
            for line in lines.end(name) { writer.write(line, isError: false) }
        }
    }

    private mutating func label(_ bytes: [UInt8], _ label: String, _ time: String) {
        for line in lines.take(bytes, label: label, time: time) { writer.write(line, isError: false) }
    }

    private mutating func bytes(of event: Event) throws -> [UInt8] {
        guard let job = event.data["job"]?.string, let stream = event.data["stream"]?.string,
            let offset = event.data["offset"]?.int, let length = event.data["length"]?.int
        else { return [] }
        return try bytes(of: run.actionLog(job: job, stream: stream), from: offset, to: offset + length)
    }

    private mutating func bytes(of path: String, from start: Int64, to end: Int64) throws -> [UInt8] {
        let file = try files[path] ?? File(path: path, O_RDONLY)
        files[path] = file
        return try file.read(at: start, count: Int(max(0, end - start)))
    }
}
