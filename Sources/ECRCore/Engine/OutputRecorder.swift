import EventLog
import Glibc
import Hashing
import JSON
import LinuxSystem
import RunStore

/// Brings one file of a job's spool into the record, piece by piece, by offset.
protocol StreamRecorder {
    /// The file's name in the job's folder on the target.
    var stream: String { get }
    /// Bytes on record.
    var offset: Int64 { get }
    /// Where the spool is to be read next: behind bytes that wait for their rest.
    var readOffset: Int64 { get }
    /// Records bytes that follow those before. With `isLast` nothing follows, and nothing is held back.
    mutating func record(_ bytes: [UInt8], isLast: Bool) async throws
}

/// One stream of one job on its way into the record: raw log first, then `command_output`, both on disk before anybody
/// is told. Owned by the job's runner.
struct OutputRecorder: StreamRecorder {
    /// Beyond this much a stream's events carry a hash in place of the bytes, which are in the raw log.
    static let inlineLimit: Int64 = 1 << 20

    let stream: String
    private let job: String
    private let target: String
    private let file: File
    private let path: String
    private let journal: Journal
    /// Bytes on record.
    private(set) var offset: Int64
    private var intake: MaskedIntake
    /// The first bytes of a UTF-8 sequence whose rest has not come yet.
    private var held: [UInt8] = []
    /// What rules look at in it; nil for nothing.
    private var metrics: LiveMetrics?

    /// Opens the raw log and cuts it to what is acknowledged: a crash may have left more.
    init(
        journal: Journal, target: String, job: String, stream: String, recorded: Int64, metrics: LiveMetrics?
    ) throws {
        self.journal = journal
        self.target = target
        self.job = job
        self.stream = stream
        path = journal.directory.actionLog(job: job, stream: stream)
        file = try File(path: path, O_RDWR | O_CREAT)
        if try file.size() != recorded { try file.truncate(to: recorded) }
        offset = recorded
        intake = MaskedIntake(journal.secrets, job: job, stream: stream, recorded: recorded)
        self.metrics = metrics
        try self.metrics?.resume(path, length: recorded)
    }

    var readOffset: Int64 { offset + Int64(held.count + intake.heldBytes) }

    /// A character or a secret that was cut by the read is held back until its rest comes.
    mutating func record(_ bytes: [UInt8], isLast: Bool) async throws {
        let (bytes, masked) = intake.take(bytes, isLast: isLast)
        var piece = held + bytes
        held = isLast ? [] : UTF8Tail.takeIncomplete(from: &piece)
        if piece.isEmpty {
            if isLast { await metrics?.take([], isLast: true) }
            return
        }
        var data: JSONObject = [
            "target": .string(target), "job": .string(job), "stream": .string(stream), "offset": .int(offset),
            "length": .int(Int64(piece.count)), "masked": masked > 0 ? .int(masked) : nil,
        ]
        if offset + Int64(piece.count) > Self.inlineLimit {
            data["sha256"] = .string(SHA256.hexDigest(of: piece))
        } else if let text = String(validating: piece, as: UTF8.self) {
            data["text"] = .string(text)
        } else {
            data["base64"] = .string(Base64.encode(piece))
        }
        try await journal.append(.commandOutput, data, raw: [RawWrite(file: file, offset: offset, bytes: piece)])
        offset += Int64(piece.count)
        await metrics?.take(piece, isLast: isLast)
    }
}

/// The end of a piece of output that may be the beginning of a UTF-8 sequence (RFC 3629).
enum UTF8Tail {
    /// Removes and returns up to three bytes that begin a sequence which is not complete.
    static func takeIncomplete(from bytes: inout [UInt8]) -> [UInt8] {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            guard length > back, byte < 0xF8 else { return [] }
            defer { bytes.removeLast(back) }
            return Array(bytes.suffix(back))
        }
        return []
    }
}
