import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RemoteJobs
import RunStore

/// The completeness ledger: for every job the bytes and hashes on both ends, and what is missing.
struct Ledger: Sendable {
    private(set) var entries: [JSON] = []
    /// One line for every hole.
    private(set) var missing: [String] = []
    /// What is said, and is no hole.
    private(set) var remarks: [String] = []
    private var expectedBytes: Int64 = 0
    private var presentBytes: Int64 = 0

    var isWhole: Bool { missing.isEmpty }

    /// Of the bytes that the target has, those that are recorded and equal; 100 only without any hole.
    private var percent: JSON {
        if isWhole { return 100 }
        if !isCompared { return .null }
        let share = expectedBytes == 0 ? 0 : Double(presentBytes) / Double(expectedBytes) * 100
        return .double(min(99.99, (share * 100).rounded(.down) / 100))
    }

    var json: JSONObject {
        [
            "complete": .bool(isWhole), "complete_percent": percent, "missing": JSON(strings: missing),
            "remarks": JSON(strings: remarks), "jobs": .array(entries),
        ]
    }

    /// Whether both ends could be compared.
    private let isCompared: Bool
    private let unmasked: [String: String]

    /// Hashes the raw logs and compares them with what the target says of the spool `spool`.
    /// - Parameters:
    ///   - remote: nil where the target could not be asked.
    ///   - unmasked: of streams with masked secrets, by `<job>/<stream>`: the SHA-256 of what came before masking.
    init(
        _ directory: RunDirectory, _ state: RunState, spool: String, remote: [String: (bytes: Int64, sha256: String)]?,
        unmasked: [String: String] = [:]
    ) throws {
        isCompared = remote != nil
        self.unmasked = unmasked
        guard isCompared else {
            missing.append("the target was not reachable: nothing was compared")
            for job in state.openJobs { missing.append("\(job.id): its end is not known") }
            return
        }
        var logBases: [String: Int64] = [:]
        for job in state.jobs {
            if job.wasRefused {
                remarks.append("\(job.id) was not begun: the target's disk was full")
                continue
            }
            if job.outcome == .unknown { missing.append("\(job.id): its outcome is unknown") }
            if job.kind == .collector {
                let base = logBases[job.name] ?? 0
                logBases[job.name] = base + job.stdoutBytes
                try add(
                    job, "stdout", directory.collectorLog(job.name), base, job.stdoutBytes,
                    job.spool == spool ? remote : nil)
                addTicks(job)
            } else {
                for (stream, bytes) in [("stdout", job.stdoutBytes), ("stderr", job.stderrBytes)] {
                    let path = directory.actionLog(job: job.id, stream: stream)
                    if job.isAttached {
                        try addAttached(job, stream, path, bytes)
                        continue
                    }
                    try add(
                        job, stream, path, 0, bytes,
                        job.spool == spool ? remote : nil)
                }
                if job.isAttached { remarks.append("\(job.id) ran without a spool: recorded, not comparable") }
                if job.outcome == .failed { remarks.append("\(job.id) failed") }
            }
        }
        if state.failedPulls > 0 { remarks.append("\(state.failedPulls) artifacts were not pulled") }
    }

    private mutating func add(
        _ job: JobState, _ stream: String, _ path: String, _ base: Int64, _ bytes: Int64,
        _ remote: [String: (bytes: Int64, sha256: String)]?
    ) throws {
        let local = try Self.hash(path, from: base, count: bytes)
        let there = remote?["\(SpoolFolder.name(of: job.id))/\(stream)"]
        expectedBytes += there.map { max(0, $0.bytes) } ?? bytes
        // A masked stream is compared as it came. Its hash is not told: with the masked text it would let anybody try out
        // what a short secret was.
        let masked = stream == "stderr" ? job.stderrMasked : job.stdoutMasked
        let came = masked > 0 ? unmasked["\(job.id)/\(stream)"] : local
        let isEqual =
            there.map { $0.bytes == bytes && came != nil && ($0.sha256.isEmpty || $0.sha256 == came) } ?? false
        if isEqual {
            presentBytes += bytes
        } else if let there {
            missing.append(
                there.bytes == bytes
                    ? "\(job.id) \(stream): the recorded bytes differ from the target's"
                    : "\(job.id) \(stream): the target has \(there.bytes) bytes, \(bytes) are recorded")
        } else {
            missing.append("\(job.id) \(stream): the target's copy is gone, \(bytes) bytes are recorded")
        }
        entries.append([
            "job": .string(job.id), "stream": .string(stream), "bytes": .int(bytes), "sha256": .string(local),
            "masked": masked > 0 ? .int(masked) : nil, "target_bytes": there.map { .int($0.bytes) },
            "target_sha256": there.flatMap { $0.sha256.isEmpty || masked > 0 ? nil : .string($0.sha256) },
            "equal": .bool(isEqual),
        ])
    }

    /// There never was a second copy.
    private mutating func addAttached(_ job: JobState, _ stream: String, _ path: String, _ bytes: Int64) throws {
        let masked = stream == "stderr" ? job.stderrMasked : job.stdoutMasked
        expectedBytes += bytes
        presentBytes += bytes
        entries.append([
            "job": .string(job.id), "stream": .string(stream), "bytes": .int(bytes),
            "sha256": .string(try Self.hash(path, from: 0, count: bytes)), "masked": masked > 0 ? .int(masked) : nil,
            "attached": true,
        ])
    }

    private mutating func addTicks(_ job: JobState) {
        entries.append(["job": .string(job.id), "samples": .int(job.samples)])
    }

    private static func hash(_ path: String, from base: Int64, count: Int64) throws -> String {
        var hash = SHA256()
        guard count > 0 else { return hash.hexDigest() }
        let file = try File(path: path, O_RDONLY)
        var offset = base
        while offset < base + count {
            let bytes = try file.read(at: offset, count: Int(min(1 << 20, base + count - offset)))
            if bytes.isEmpty { break }
            hash.update(bytes)
            offset += Int64(bytes.count)
        }
        return hash.hexDigest()
    }
}
