import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RemoteJobs
import RunStore

/// The completeness ledger: for every job the bytes and hashes on both ends, for every collector the samples, and what is
/// missing.
struct Ledger: Sendable {
    private(set) var entries: [JSON] = []
    /// One line for every hole.
    private(set) var missing: [String] = []
    /// What is said, and is no hole.
    private(set) var remarks: [String] = []
    private var unknown: [String] = []
    /// Jobs of which not all of `$ECR_OUT` has come.
    private var unfetched: [String] = []
    private let samples: SampleLedger
    private let failedArtifacts: FailedArtifacts
    private let gaps: [JSON]
    private let reboots: [JSON]
    private var expectedBytes: Int64 = 0
    private var presentBytes: Int64 = 0
    /// Whether both ends could be compared.
    private let isCompared: Bool
    private let unmasked: [String: String]

    var isWhole: Bool { missing.isEmpty }

    /// Of the bytes that the target has, those that are recorded and equal, and of the samples that were due those that
    /// came: the smaller share. 100 only without any hole; null where nothing of these is missing, but something else,
    /// of which nobody knows how much it is.
    private var percent: JSON {
        if isWhole { return 100 }
        let isShort = presentBytes < expectedBytes || samples.received < samples.expected
        if !isCompared || !isShort { return .null }
        let bytes = expectedBytes == 0 ? 1 : Double(presentBytes) / Double(expectedBytes)
        let share = samples.expected == 0 ? 1 : Double(samples.received) / Double(samples.expected)
        return .double(min(99.99, (min(bytes, share) * 10_000).rounded(.down) / 100))
    }

    var json: JSONObject {
        [
            "complete": .bool(isWhole), "compared": .bool(isCompared), "complete_percent": percent,
            "missing": JSON(strings: missing),
            "remarks": JSON(strings: remarks), "failed_artifacts": failedArtifacts.json, "totals": totals,
            "collectors": samples.json,
            "gaps": .array(gaps), "reboots": .array(reboots), "unknown": JSON(strings: unknown),
            "unfetched": unfetched.isEmpty ? nil : JSON(strings: unfetched),
            "jobs": .array(entries),
        ]
    }

    private var totals: JSON {
        [
            "bytes": .int(presentBytes), "expected_bytes": .int(expectedBytes), "samples": .int(samples.received),
            "expected_samples": .int(samples.expected), "overruns": .int(samples.overruns), "gaps": JSON(gaps.count),
            "reboots": JSON(reboots.count), "unknown": JSON(unknown.count),
        ]
    }

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
        samples = SampleLedger(state)
        failedArtifacts = FailedArtifacts(state)
        (gaps, reboots) = (state.gaps, state.reboots)
        if let remote {
            try compare(directory, state, spool, remote)
        } else {
            missing.append("the target was not reachable: nothing was compared")
            for job in state.openJobs { missing.append("\(job.id): its end is not known") }
        }
        missing += samples.missing
        remarks += samples.remarks
        remarks += failedArtifacts.remarks
        for reboot in reboots {
            remarks.append("the target was rebooted, seen at \(SampleLedger.moment(reboot["time"]))")
        }
    }

    private mutating func compare(
        _ directory: RunDirectory, _ state: RunState, _ spool: String,
        _ remote: [String: (bytes: Int64, sha256: String)]
    ) throws {
        var logBases: [String: Int64] = [:]
        for job in state.jobs {
            if job.wasRefused {
                remarks.append("\(job.id) was not begun: \(Self.refusal(of: job))")
                continue
            }
            addOutcome(of: job)
            if let output = job.unfetched {
                if !output.isGone { unfetched.append(job.id) }
                missing.append("\(job.id): not all of \(JobState.outputName) has come: \(output.reason)")
            }
            let remote = job.spool == spool ? remote : nil
            if job.kind == .collector {
                let base = logBases[job.name] ?? 0
                logBases[job.name] = base + job.stdoutBytes
                try add(job, "stdout", directory.collectorLog(job.name), base, job.stdoutBytes, remote)
                continue
            }
            for (stream, bytes) in [("stdout", job.stdoutBytes), ("stderr", job.stderrBytes)] {
                try add(job, stream, directory.actionLog(job: job.id, stream: stream), 0, bytes, remote)
            }
        }
    }

    private static func refusal(of job: JobState) -> String {
        switch job.reason {
        case "disk": "the target's disk was full"
        case "upload": "a file could not be uploaded"
        default: "it was cancelled before"
        }
    }

    private mutating func addOutcome(of job: JobState) {
        if job.isAttached { remarks.append("\(job.id) ran without a spool: recorded, not comparable") }
        switch job.outcome {
        case .unknown:
            unknown.append(job.id)
            // Of a collector the gap behind it is the hole.
            if !job.sampling.isTailRecorded { missing.append("\(job.id): its outcome is unknown") }
        case .failed: remarks.append("\(job.id) failed")
        default: break
        }
    }

    /// A masked stream is compared as it came. Its hash is not told: with the masked text it would let anybody try out what
    /// a short secret was.
    private mutating func add(
        _ job: JobState, _ stream: String, _ path: String, _ base: Int64, _ bytes: Int64,
        _ remote: [String: (bytes: Int64, sha256: String)]?
    ) throws {
        let local = try Self.hash(path, from: base, count: bytes)
        let there = remote?["\(SpoolFolder.name(of: job.id))/\(stream)"]
        let masked = stream == "stderr" ? job.stderrMasked : job.stdoutMasked
        let came = masked > 0 ? unmasked["\(job.id)/\(stream)"] : local
        expectedBytes += there.map { max(0, $0.bytes) } ?? bytes
        // Without a spool there never was a second copy.
        let hole = local == nil ? Self.lostHere : job.isAttached ? nil : hole(came, bytes, there)
        if let hole { missing.append("\(job.id) \(stream): \(hole)") } else { presentBytes += bytes }
        entries.append([
            "job": .string(job.id), "stream": .string(stream), "bytes": .int(bytes),
            "sha256": local.map { .string($0) }, "masked": masked > 0 ? .int(masked) : nil,
            "target_bytes": there.map { .int($0.bytes) },
            "target_sha256": there.flatMap { $0.sha256.isEmpty || masked > 0 ? nil : .string($0.sha256) },
            "equal": job.isAttached ? nil : .bool(hole == nil), "attached": job.isAttached ? true : nil,
        ])
    }

    private static let lostHere = "the controller's own log has lost bytes"

    private func hole(_ came: String?, _ bytes: Int64, _ there: (bytes: Int64, sha256: String)?) -> String? {
        guard let there else { return "the target's copy is gone, \(bytes) bytes are recorded" }
        guard there.bytes == bytes else { return "the target has \(there.bytes) bytes, \(bytes) are recorded" }
        let isEqual = came != nil && (there.sha256.isEmpty || there.sha256 == came)
        return isEqual ? nil : "the recorded bytes differ from the target's"
    }

    /// Nil where the file does not have so many bytes.
    private static func hash(_ path: String, from base: Int64, count: Int64) throws -> String? {
        var hash = SHA256()
        guard count > 0 else { return hash.hexDigest() }
        guard FileSystem.exists(path) else { return nil }
        let file = try File(path: path, O_RDONLY)
        var offset = base
        while offset < base + count {
            let bytes = try file.read(at: offset, count: Int(min(1 << 20, base + count - offset)))
            if bytes.isEmpty { return nil }
            hash.update(bytes)
            offset += Int64(bytes.count)
        }
        return hash.hexDigest()
    }
}
