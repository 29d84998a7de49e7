import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// A collector's spool on its way into the record: the raw bytes to `logs/collectors/<name>.log`, a row a sample to
/// `<name>.csv`, and `collector_output` events with the same rows. Owned by the collector's task.
struct SampleRecorder: StreamRecorder {
    /// A longer sample stands in the event as its length only; it is in the log and the table.
    static let longestInline = 16_384

    let stream = "stdout"
    private(set) var offset: Int64
    private let journal: Journal
    private let collector: Collector
    private let job: String
    private let timeout: SampleTimeout?
    /// The boot of the target in which the job runs: its uptimes are those of no other.
    private let boot: String
    /// Is told of the numbers of each sample once it is on record.
    private let onValues: @Sendable (SampleValues) async -> Void
    private let log: File
    private let table: File
    private let layout: SampleTable
    /// Finds the fields; nil for a collector without a format.
    private var reader: SampleReader?
    /// Where this job's bytes begin in the log: behind those of earlier jobs of the collector.
    private let base: Int64
    /// The table's length behind the last recorded row; 0 before there is one.
    private var tableLength: Int64
    private var sampling: SamplingState
    private var parser: SampleParser
    private var intake: MaskedIntake
    /// Bytes of the spool that are read and not recorded.
    private var held: [UInt8] = []
    /// Bytes that stand in the place of a secret, among what is not recorded.
    private var masked: Int64 = 0
    /// What this recorder has said of samples.
    private var said: Set<String> = []

    /// Opens the files and cuts them to what is acknowledged.
    /// - Parameters:
    ///   - timeout: what the target keeps of the collector's.
    ///   - earlier: the collector's jobs before this one, whose bytes and rows stand in front.
    ///   - recorded: what is on record of this job; nil for a new one.
    init(
        journal: Journal, collector: Collector, timeout: SampleTimeout?, job: String, boot: String, token: String,
        earlier: [JobState], recorded: JobState?, onValues: @escaping @Sendable (SampleValues) async -> Void
    ) throws {
        self.journal = journal
        self.collector = collector
        self.timeout = timeout
        self.job = job
        self.boot = boot
        self.onValues = onValues
        layout = SampleTable(collector)
        reader = collector.parse.map { SampleReader($0) }
        base = earlier.reduce(0) { $0 + $1.stdoutBytes }
        offset = recorded?.stdoutBytes ?? 0
        sampling = recorded?.sampling ?? SamplingState()
        parser = SampleParser(token: token)
        intake = MaskedIntake(journal.secrets, job: job, stream: stream, recorded: recorded?.stdoutBytes ?? 0)
        log = try File(path: journal.directory.collectorLog(collector.name), O_RDWR | O_CREAT)
        try log.truncate(to: base + offset)
        // A job without a row has left the table as it was.
        tableLength = max(recorded?.tableBytes ?? 0, earlier.map(\.tableBytes).max() ?? 0)
        table = try File(path: journal.directory.collectorRows(collector.name), O_RDWR | O_CREAT)
        try table.truncate(to: tableLength)
        if tableLength == 0 { try table.write(layout.header, at: 0) }
    }

    var readOffset: Int64 { offset + Int64(held.count + intake.heldBytes) }

    mutating func record(_ bytes: [UInt8], isLast: Bool) async throws {
        let (bytes, newlyMasked) = intake.take(bytes, isLast: isLast)
        masked += newlyMasked
        held += bytes
        let batch = parser.take(bytes)
        let piece = Array(held.prefix(isLast ? held.count : batch.length))
        if piece.isEmpty { return }
        let clock = journal.state.clock(ofBoot: boot)
        func time(of sample: Sample) -> String? { clock?.time(atUptime: sample.uptime) }
        var read: [(Sample, SampleReading?)] = []
        for sample in batch.samples { read.append((sample, reader?.read(sample.text))) }
        let text = tableText(of: read, clock)
        let unparsed = read.count { $1?.isParsed == false }
        // Before the samples: a crash in between must not leave them without it.
        for gap in gaps(in: batch, time(of:)) { journal.post(.collectorGap, gap.data) }
        for (sample, reading) in read { report(sample, reading) }
        let data: JSONObject = [
            "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
            "rows": .array(read.map { row($0, $1, time(of: $0)) }), "unparsed": unparsed > 0 ? JSON(unparsed) : nil,
            "skipped": ranges(batch.skipped),
            "unfinished_tick": isLast ? parser.unfinishedTick.map { .int($0) } : nil,
            "unfinished_since": isLast ? parser.unfinishedSince.map { .double($0) } : nil, "offset": .int(offset),
            "length": .int(Int64(piece.count)), "sha256": .string(SHA256.hexDigest(of: piece)),
            "log_bytes": .int(base + offset + Int64(piece.count)), "table_bytes": .int(tableLength + Int64(text.count)),
            "table_length": text.isEmpty ? nil : JSON(text.count),
            "table_sha256": text.isEmpty ? nil : .string(SHA256.hexDigest(of: text)),
            "masked": masked > 0 ? .int(masked) : nil,
        ]
        var raw = [RawWrite(file: log, offset: base + offset, bytes: piece)]
        if !text.isEmpty { raw.append(RawWrite(file: table, offset: tableLength, bytes: text)) }
        try await journal.append(.collectorOutput, data, raw: raw)
        sampling.apply(output: data)
        held.removeFirst(piece.count)
        masked = 0
        offset += Int64(piece.count)
        tableLength += Int64(text.count)
        for (sample, reading) in read { if let reading { await tell(sample, reading.values.last, clock) } }
    }

    /// Also of a sample that has none: what was known before is not known any more.
    private func tell(_ sample: Sample, _ values: JSONObject?, _ clock: TargetClock?) async {
        let numbers = values?.members.compactMap { name, value in value.double.map { (name, $0) } } ?? []
        let time = clock?.time(atUptime: sample.uptime).flatMap { Clock.microseconds(iso8601: $0) }
        await onValues(
            SampleValues(
                owner: .collector(collector.name), time: time ?? Clock.wallMicroseconds(),
                fields: Dictionary(numbers, uniquingKeysWith: { $1 }), isWhole: true))
    }

    private func ranges(_ ranges: [ClosedRange<Int64>]) -> JSON? {
        ranges.isEmpty ? nil : .array(ranges.map { [.int($0.lowerBound), .int($0.upperBound)] })
    }

    /// What is missing in front of a batch and within it.
    private func gaps(in batch: SampleBatch, _ time: (Sample) -> String?) -> [CollectorGap] {
        var gaps: [CollectorGap] = []
        if sampling.lastTick == nil, let began = batch.samples.first.flatMap(time) {
            let earlier = journal.state.jobs(ofCollector: collector.name).prefix { $0.id != job }
            gaps = CollectorGap.behind(Array(earlier), .sample(at: began), interval: collector.interval)
        }
        let accounted = (batch.samples.map { $0.tick...$0.tick } + batch.skipped).sorted {
            $0.lowerBound < $1.lowerBound
        }
        var next = sampling.nextTick
        for range in accounted {
            if range.lowerBound > next { gaps.append(gap(next...range.lowerBound - 1, in: batch, time)) }
            next = max(next, range.upperBound + 1)
        }
        return gaps
    }

    private func gap(
        _ ticks: ClosedRange<Int64>, in batch: SampleBatch, _ time: (Sample) -> String?
    ) -> CollectorGap {
        let before = batch.samples.last { $0.tick < ticks.lowerBound }.flatMap(time) ?? sampling.lastTime
        let after = batch.samples.first { $0.tick > ticks.upperBound }.flatMap(time)
        let started = journal.state.job(job)?.started ?? ""
        return CollectorGap(
            collector.name, job, lost: ticks, from: before ?? started,
            to: after ?? Clock.iso8601(microseconds: Clock.wallMicroseconds()))
    }

    /// Says what is wrong with a sample, once for each reason.
    private mutating func report(_ sample: Sample, _ reading: SampleReading?) {
        for reason in SampleProblem.reasons(sample, reading, collector, timeout) {
            guard said.insert(reason).inserted,
                !journal.state.collectors.problems(of: collector.name).contains(reason)
            else {
                continue
            }
            journal.post(
                .collectorError,
                [
                    "target": .string(RunEngine.targetName), "collector": .string(collector.name), "job": .string(job),
                    "reason": .string(reason), "exit": sample.status.map { .int($0) }, "tick": .int(sample.tick),
                    "text": SampleProblem.excerpt(sample),
                ])
        }
    }

    private func row(_ sample: Sample, _ reading: SampleReading?, _ time: String?) -> JSON {
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
        let values = reading?.values ?? []
        if let first = values.first {
            row["values"] = values.count == 1 ? .object(first) : .array(values.map { .object($0) })
        }
        return .object(row)
    }

    /// The rows of a batch, behind the table's header if they are its first.
    private func tableText(of samples: [(Sample, SampleReading?)], _ clock: TargetClock?) -> [UInt8] {
        if samples.isEmpty { return [] }
        return samples.reduce(into: tableLength == 0 ? layout.header : []) { $0 += layout.rows($1.0, $1.1, clock) }
    }
}
