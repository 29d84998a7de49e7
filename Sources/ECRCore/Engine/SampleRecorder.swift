import EventLog
import Glibc
import JSON
import LinuxSystem
import RemoteJobs
import RunStore

/// A collector's spool on its way into the record: the raw bytes to `logs/collectors/<name>.log`, a row a sample to
/// `<name>.csv`, and `collector_output` events with the same rows. Owned by the collector's task.
struct SampleRecorder: StreamRecorder {
    static let header = "time,boottime_s,tick,exit,text\n"
    /// A longer sample stands in the event as its length only; it is in the log and the table.
    static let longestInline = 16_384

    let stream = "stdout"
    private(set) var offset: Int64
    private let journal: Journal
    private let link: TargetLink
    private let collector: String
    private let job: String
    private let log: File
    private let table: File
    /// Where this job's bytes begin in the log: behind those of earlier jobs of the collector.
    private let base: Int64
    private var tableLength: Int64
    private var parser: SampleParser
    private var intake: MaskedIntake
    /// Bytes of the spool that are read and not recorded.
    private var held: [UInt8] = []
    /// Bytes that stand in the place of a secret, among what is not recorded.
    private var masked: Int64 = 0

    /// Opens the files and cuts them to what is acknowledged.
    init(
        journal: Journal, link: TargetLink, collector: String, job: String, token: String, base: Int64, recorded: Int64,
        tableLength: Int64
    ) throws {
        self.journal = journal
        self.link = link
        self.collector = collector
        self.job = job
        self.base = base
        offset = recorded
        parser = SampleParser(token: token)
        intake = MaskedIntake(journal.secrets, job: job, stream: stream, recorded: recorded)
        log = try File(path: journal.directory.collectorLog(collector), O_RDWR | O_CREAT)
        try log.truncate(to: base + recorded)
        table = try File(path: journal.directory.collectorRows(collector), O_RDWR | O_CREAT)
        if tableLength == 0 {
            try table.truncate(to: 0)
            try table.write(Array(Self.header.utf8), at: 0)
            self.tableLength = Int64(Self.header.utf8.count)
        } else {
            try table.truncate(to: tableLength)
            self.tableLength = tableLength
        }
    }

    var readOffset: Int64 { offset + Int64(held.count + intake.heldBytes) }

    mutating func record(_ bytes: [UInt8], isLast: Bool) async throws {
        let (bytes, newlyMasked) = intake.take(bytes, isLast: isLast)
        masked += newlyMasked
        held += bytes
        let (samples, length) = parser.take(bytes)
        let piece = Array(held.prefix(isLast ? held.count : length))
        if piece.isEmpty { return }
        let zero = await link.clock?.boottimeZero
        var rows: [JSON] = []
        var text: [UInt8] = []
        for sample in samples {
            let time = zero.map { Clock.iso8601(microseconds: $0 + Int64(sample.uptime * 1e6)) }
            rows.append(row(sample, time))
            text += tableRow(sample, time)
        }
        let behind = tableLength + Int64(text.count)
        try await journal.append(
            .collectorOutput,
            [
                "target": .string(RunEngine.targetName), "collector": .string(collector), "job": .string(job),
                "rows": .array(rows), "offset": .int(offset), "length": .int(Int64(piece.count)),
                "table_bytes": .int(behind), "masked": masked > 0 ? .int(masked) : nil,
            ],
            raw: [
                RawWrite(file: log, offset: base + offset, bytes: piece),
                RawWrite(file: table, offset: tableLength, bytes: text),
            ])
        held.removeFirst(piece.count)
        masked = 0
        offset += Int64(piece.count)
        tableLength = behind
    }

    private func row(_ sample: Sample, _ time: String?) -> JSON {
        var row: JSONObject = [
            "tick": .int(sample.tick), "time": time.map { .string($0) }, "boottime_s": .double(sample.uptime),
            "exit": sample.status.map { .int($0) },
        ]
        if sample.text.count > Self.longestInline {
            row["length"] = JSON(sample.text.count)
        } else if let text = String(validating: sample.text, as: UTF8.self) {
            row["text"] = .string(text)
        } else {
            row["base64"] = .string(Base64.encode(sample.text))
        }
        return .object(row)
    }

    /// RFC 4180: quotes doubled; bytes that are not UTF-8 are replaced, since the log has them.
    private func tableRow(_ sample: Sample, _ time: String?) -> [UInt8] {
        var text = String(decoding: sample.text, as: UTF8.self)
        if text.hasSuffix("\n") { text.removeLast() }
        let quoted = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        let status = sample.status.map { String($0) } ?? ""
        return Array("\(time ?? ""),\(sample.uptime),\(sample.tick),\(status),\"\(quoted)\"\n".utf8)
    }
}
