import EventLog
import JSON
import LinuxSystem
import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// How a job's observation ended.
enum JobVerdict: Sendable {
    case ended(ExitRecord)
    /// Nothing on the target can say how it ended.
    case unknown(reason: String)
    /// Nothing of it has run, and nothing will.
    case notStarted(JobRefusal)

    static let spoolGone = JobVerdict.unknown(reason: "the spool on the target is gone")
}

/// Why nothing of a job has run.
struct JobRefusal: Sendable {
    /// As in the terminal event.
    let reason: String
    var warnings: [String] = []

    static let disk = JobRefusal(reason: ExitRecord.Reason.disk.rawValue)
}

/// Whoever brings a job to its end on record.
protocol JobObserving {
    var request: JobRequest { get }
    /// When the target last told of the job as one that runs; nil until then.
    var lastSeen: String? { get }
    /// Bytes on record of a stream.
    func recordedBytes(_ stream: String) -> Int64
    /// - Parameter isNew: whether the job is to be launched.
    /// - Throws: only what ends the run: a storage error, a link that was given up.
    mutating func run(isNew: Bool) async throws -> JobVerdict
}

/// Brings a job's output into the record until it has ended, across breaks of the link, and launches it if that has
/// not been done. Owned by the task that runs the job.
struct JobObserver: JobObserving {
    let journal: Journal
    let link: TargetLink
    let feed: JobFeed
    let request: JobRequest
    /// The boot id under which the job was intended.
    let boot: String
    let pace: Pace
    /// Whether the request is the one that was recorded, and not one with a mask in it.
    let mayRelaunch: Bool
    /// What must be done before a launch, by this supervisor or its predecessor; says why there can be none.
    let prepare: (@Sendable () async throws -> JobRefusal?)?
    private var isPrepared = false
    private var streams: [any StreamRecorder]
    /// When the target last told of the job as one that runs; nil until then.
    private(set) var lastSeen: String?
    /// The job's wrapper speaks to the dispatcher that launched it; a later one must ask.
    private var announcer: Target?

    /// How often a job's spool is looked at while nothing announces itself.
    enum Pace: Sendable {
        /// Often enough to feel immediate while somebody watches.
        case watched
        /// Once a second: rows are batched.
        case sampled
    }

    init(
        journal: Journal, link: TargetLink, feed: JobFeed, request: JobRequest, boot: String, pace: Pace,
        mayRelaunch: Bool = true, prepare: (@Sendable () async throws -> JobRefusal?)? = nil,
        streams: [any StreamRecorder]
    ) {
        self.journal = journal
        self.link = link
        self.feed = feed
        self.request = request
        self.boot = boot
        self.pace = pace
        self.mayRelaunch = mayRelaunch
        self.prepare = prepare
        self.streams = streams
    }

    /// Bytes on record of a stream.
    func recordedBytes(_ stream: String) -> Int64 { streams.first { $0.stream == stream }?.offset ?? 0 }

    /// Launches the job, if `isNew`, and observes it to its end.
    /// - Throws: only what ends the run: a storage error, a link that was given up.
    mutating func run(isNew: Bool) async throws -> JobVerdict {
        var mayLaunch = isNew
        while true {
            let target = try await link.target()
            do {
                if mayLaunch, !isPrepared {
                    if let refusal = try await prepare?() { return .notStarted(refusal) }
                    isPrepared = true
                    // The link may have been lost meanwhile.
                    continue
                }
                if mayLaunch, let verdict = try await launch(on: target) { return verdict }
                mayLaunch = false
                if announcer !== target, let verdict = try await reattach(to: target, mayLaunch: &mayLaunch) {
                    return verdict
                }
                if mayLaunch { continue }
                let verdict = try await observe(target)
                if case .ended(let record) = verdict, record.reason == .disk {
                    return try await causeOfNoRoom(target) ?? verdict
                }
                return verdict
            } catch let error as SSHError {
                if case .sftp(let status) = error.code {
                    return .unknown(reason: "its output could not be read (SFTP status \(status)): \(error.message)")
                }
                // The connection may be half dead: ending it makes the link begin anew.
                await target.close()
                try await Task.sleep(for: .milliseconds(50))
                // A launch that was cut off may or may not have happened: the claim tells.
                mayLaunch = false
            }
        }
    }

    private mutating func launch(on target: Target) async throws -> JobVerdict? {
        guard target.facts.boot == boot else { return .unknown(reason: "the target was rebooted before the launch") }
        switch try await target.launch(request) {
        case .launched:
            announcer = target
            noteSign()
            return nil
        case .claimedBefore: return nil
        case .spoolLost: return .spoolGone
        case .noSpace: return try await causeOfNoRoom(target) ?? .notStarted(.disk)
        }
    }

    /// A spool that is being taken away refuses a job's files as a full disk does.
    private func causeOfNoRoom(_ target: Target) async throws -> JobVerdict? {
        try await target.hasSpool(request.spool) ? nil : .spoolGone
    }

    private mutating func reattach(to target: Target, mayLaunch: inout Bool) async throws -> JobVerdict? {
        let standing = try await settledStanding(on: target)
        // Nobody writes any more, or nobody will tell of the end: what is there now is the output so far.
        if [.rebooted, .wrapperLost, .vanished].contains(standing) { try await readToEnd(target) }
        switch standing {
        case .running:
            noteSign()
            return nil
        case .ended: return nil
        case .unclaimed:
            guard target.facts.boot == boot else {
                return .unknown(reason: "the target was rebooted before the launch")
            }
            if journal.state.isOver { return .unknown(reason: "it was not launched before the run's end") }
            guard mayRelaunch else {
                return .unknown(reason: "it was not launched, and its commands are masked in the record")
            }
            mayLaunch = true
            return nil
        case .spoolLost: return .spoolGone
        case .claimedOnly: return .unknown(reason: "the launch broke off on the target")
        case .rebooted: return .unknown(reason: "the target was rebooted")
        case .wrapperLost: return .unknown(reason: "the job's wrapper was killed; the job may still run")
        case .vanished: return .unknown(reason: "the job was killed together with its wrapper")
        }
    }

    /// Origin of 25 x 0.2 s: claim and `meta` are a few milliseconds apart, on a board under load some hundred. A launch
    /// whose connection was cut between the two goes on there.
    private func settledStanding(on target: Target) async throws -> JobStanding {
        var standing = try await target.standing(of: request.job, in: request.spool)
        for _ in 0..<25 where standing == .claimedOnly {
            try await Task.sleep(for: .milliseconds(200))
            standing = try await target.standing(of: request.job, in: request.spool)
        }
        return standing
    }

    private func spoolFiles(on target: Target) async -> [SpoolFile] {
        var files: [SpoolFile] = []
        for stream in streams { files.append(await SpoolFile("\(request.folder)/\(stream.stream)", on: target)) }
        return files
    }

    private mutating func readToEnd(_ target: Target) async throws {
        let files = await spoolFiles(on: target)
        _ = try await readAll(files)
        for index in streams.indices { try await record([], index, isLast: true) }
        for file in files { await file.close() }
    }

    private mutating func observe(_ target: Target) async throws -> JobVerdict {
        let files = await spoolFiles(on: target)
        var pause = nextPause(after: 0, hasMoved: true)
        var sinceStatus = 0
        while true {
            if announcer === target, let record = await target.dispatcher.announcedExit(of: request.job, within: pause)
            {
                await target.dispatcher.forget(job: request.job)
                return try await drain(files, record)
            }
            if announcer !== target { try await Task.sleep(for: .milliseconds(pause)) }
            sinceStatus += pause
            // An announcement can get lost with a connection, so the record is looked for as well.
            if sinceStatus >= (announcer === target ? 5000 : 500) {
                sinceStatus = 0
                switch try await target.standing(of: request.job, in: request.spool) {
                case .ended(let record): return try await drain(files, record)
                case .running: noteSign()
                default:
                    var unused = false
                    if let verdict = try await reattach(to: target, mayLaunch: &unused) { return verdict }
                }
            }
            let hasMoved = try await readAll(files)
            pause = nextPause(after: pause, hasMoved: hasMoved)
        }
    }

    private mutating func noteSign() { lastSeen = Clock.iso8601(microseconds: Clock.wallMicroseconds()) }

    /// Milliseconds. An unwatched job costs the link less.
    private func nextPause(after pause: Int, hasMoved: Bool) -> Int {
        switch pace {
        case .sampled: 1000
        case .watched: hasMoved ? 10 : min(pause * 2, feed.hasListeners ? 40 : 250)
        }
    }

    /// Reads both streams to their present ends; true when there was something.
    private mutating func readAll(_ files: [SpoolFile]) async throws -> Bool {
        var hasMoved = false
        for index in streams.indices {
            while true {
                let bytes = try await files[index].read(at: streams[index].readOffset)
                if bytes.isEmpty { break }
                hasMoved = true
                try await record(bytes, index, isLast: false)
            }
        }
        return hasMoved
    }

    private mutating func record(_ bytes: [UInt8], _ index: Int, isLast: Bool) async throws {
        let before = streams[index].offset
        try await streams[index].record(bytes, isLast: isLast)
        let behind = streams[index].offset
        if behind > before {
            if !isLast { noteSign() }
            feed.tell(.recorded(stream: streams[index].stream, bytes: behind))
        }
    }

    /// Everything that the job wrote comes into the record before its exit is believed.
    private mutating func drain(_ files: [SpoolFile], _ record: ExitRecord) async throws -> JobVerdict {
        if record.stdoutBytes + record.stderrBytes > 0 { _ = try await readAll(files) }
        for index in streams.indices {
            try await self.record([], index, isLast: true)
            let least = streams[index].stream == "stdout" ? record.stdoutBytes : record.stderrBytes
            if streams[index].offset < least {
                try await journal.append(
                    .storageError,
                    [
                        "target": .string(RunEngine.targetName), "job": .string(request.job),
                        "stream": .string(streams[index].stream),
                        "message": .string(
                            "output damaged: \(least) bytes were written, \(streams[index].offset) are left"),
                    ])
            }
        }
        for file in files { await file.close() }
        return .ended(record)
    }
}
