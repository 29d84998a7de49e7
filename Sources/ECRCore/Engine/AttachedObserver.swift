import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// Brings the output of a job without a spool into the record as it comes, without the promises of a spool: when the
/// channel breaks, what follows is lost, and so is its end. Owned by the task that runs the job.
///
/// Nothing is read before the record has taken what came before: then the job's own writes wait.
struct AttachedObserver: JobObserving {
    let link: TargetLink
    let feed: JobFeed
    let request: JobRequest
    let channel: AttachedJob
    let target: Target
    private(set) var lastSeen: String?
    private var streams: [OutputRecorder]

    init(
        link: TargetLink, feed: JobFeed, request: JobRequest, channel: AttachedJob, target: Target,
        streams: [OutputRecorder]
    ) {
        self.link = link
        self.feed = feed
        self.request = request
        self.channel = channel
        self.target = target
        self.streams = streams
    }

    func recordedBytes(_ stream: String) -> Int64 { streams.first { $0.stream == stream }?.offset ?? 0 }

    mutating func run(isNew: Bool) async throws -> JobVerdict {
        let watch = Task { [request, channel, target] in
            try await Self.awaitExit(of: request, channel, target)
            await channel.closeWhenQuiet()
        }
        defer { watch.cancel() }
        let failure = try await readToEnd()
        for index in streams.indices { try await record([], index, isLast: true) }
        guard let failure else { return await verdict() }
        return .unknown(
            reason: "the link broke, and without a spool the rest of its output is lost; it may still run "
                + "(\(failure.message))")
    }

    /// - Returns: why the end did not come.
    /// - Throws: what came could not be recorded.
    private mutating func readToEnd() async throws -> SSHError? {
        do { try await channel.start(request, on: target) } catch { return error }
        while true {
            let piece: AttachedJob.Piece?
            do { piece = try await channel.read() } catch { return error }
            guard let piece else { return nil }
            try await record(piece.stdout, 0, isLast: false)
            try await record(piece.stderr, 1, isLast: false)
        }
    }

    private mutating func record(_ bytes: [UInt8], _ index: Int, isLast: Bool) async throws {
        let before = streams[index].offset
        try await streams[index].record(bytes, isLast: isLast)
        let behind = streams[index].offset
        if !isLast { lastSeen = Clock.iso8601(microseconds: Clock.wallMicroseconds()) }
        if behind > before { feed.tell(.recorded(stream: streams[index].stream, bytes: behind)) }
    }

    /// The wrapper writes an exit record for it as for any other job.
    private func verdict() async -> JobVerdict {
        if let standing = try? await target.standing(of: request.job, in: request.spool),
            case .ended(let record) = standing
        {
            return .ended(record)
        }
        let end: String
        switch await channel.exit {
        case .status(let status)?: end = "its channel ended with status \(status)"
        case .signal(let name)?: end = "its shell on the target was killed by SIG\(name)"
        case nil: end = "its channel ended without a word"
        }
        return .unknown(reason: "\(end), and there is no record of its exit")
    }

    /// Origin: a second more or less does not count for a job that has left something running.
    private static let pause = 1

    private static func awaitExit(of request: JobRequest, _ channel: AttachedJob, _ target: Target) async throws {
        while await channel.exit == nil {
            try await Task.sleep(for: .seconds(pause))
            // Some servers tell of the exit only behind the last output.
            if case .ended? = try? await target.standing(of: request.job, in: request.spool) { return }
        }
    }
}

/// A job without a spool whose supervisor has ended: nobody has read on.
struct LostAttachment: JobObserving {
    let request: JobRequest
    let state: JobState
    var lastSeen: String? { nil }

    func recordedBytes(_ stream: String) -> Int64 { stream == "stdout" ? state.stdoutBytes : state.stderrBytes }

    mutating func run(isNew: Bool) async throws -> JobVerdict {
        .unknown(reason: "the supervisor that read its output has ended; it ran without a spool and may still run")
    }
}
