import EventLog
import Glibc
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore
import SSH

/// The engine of one started run: owns its jobs and its link, and decides what may happen next.
///
/// An actor; it never waits for a job inside a step that others need, since every `await` lets other requests in.
actor RunEngine {
    /// The name of the target of a profile's short form `connection:`.
    static let targetName = "target"

    let journal: Journal
    let profile: Profile
    let link: TargetLink
    let worker = Worker()
    nonisolated let prompts: PromptRelay
    let secrets: SecretValues
    let sudo: SudoAccess
    var spool = ""
    private var nextJob: Int
    /// Actions and ad hoc commands that have not ended.
    var live: [String: LiveJob] = [:]
    var collectors: [String: LiveCollector] = [:]
    /// What operators have asked to be sent or fetched and is on its way.
    var transfers: [Int: LiveTransfer] = [:]
    var lastTransfer = 0
    let lanes = UploadLanes()
    var handParts: HandParts
    /// What became of those that have died.
    var restarts: [String: CollectorRestarts] = [:]
    /// Actions run one after the other; these wait for their turn.
    var turns: [Turn] = []
    var lastTurn = 0
    /// Those that a pause, a recovery or a rule holds up, by their numbers.
    var heldUp: [Int: String] = [:]
    /// Those whose clients have left while a rule held them.
    var departed: Set<Int> = []
    /// What runs at present, or will at once; nil while nothing does.
    var turnHolder: String?
    /// Those that a pause holds up.
    var gate: [CheckedContinuation<Void, Never>] = []
    /// Why nothing new starts although the run is not paused.
    var hold: Hold?
    var recovery: Task<Void, Never>?
    /// How many recoveries have begun: only the last one counts.
    var recoveries = 0
    /// Collectors that do not run while the run is paused.
    var sleepers: Set<String> = []
    /// Collectors that a recovery will start again.
    var interruptedCollectors: Set<String> = []
    var watches: [RuleWatch] = []
    /// The last known numbers of the collectors, and of the actions that run.
    var ruleValues: [RuleCondition.Field: Double] = [:]
    /// When the last number of a field came: see `Clock.boottimeNanoseconds`.
    var heard: [RuleCondition.Field: Int64] = [:]
    /// What rules have asked for and is not on record yet.
    var ruleSteps: [RuleStep] = []
    var ruling: Task<Void, Never>?
    /// By the rules' names.
    var ruleHolds: [String: RuleHold] = [:]
    var isTickingHolds = false
    var activeStage: Task<StageEnd, any Error>?
    /// Takes down the target's state at the start.
    var firstBaseline: Task<Void, Never>?
    /// Set once complete, abort or drain has begun: nothing new starts.
    var ending: EndUnderWay?
    private var onFatal: (@Sendable (any Error) -> Void)?
    private var hasStorageFailed = false
    /// Called when the run was ended by itself, not by a request.
    private(set) var onOver: (@Sendable () -> Void)?

    struct LiveJob {
        let name: String
        let invocation: JobSpec.Invocation
        let feed: JobFeed
        let transfer: JobTransfer
        let cancellation: JobCancellation
        let began: Int64
        let end: Task<JobEnd, any Error>
    }

    struct LiveCollector {
        let job: String
        let task: Task<Void, any Error>
    }

    init(
        journal: Journal, profile: Profile, options: SSHOptions, prompts: PromptRelay, secrets: SecretValues
    ) {
        self.journal = journal
        self.profile = profile
        self.prompts = prompts
        self.secrets = secrets
        sudo = SudoAccess(
            account: "\(options.user)@\(options.host)",
            given: profile.connection.sudoPassword.flatMap { secret in
                secrets[secret].map { ($0, secret.variable) }
            }, prompts: prompts)
        link = TargetLink(
            journal: journal, options: options, giveUpAfter: profile.connection.giveUpAfter,
            clockInterval: profile.connection.clockInterval, prompts: prompts)
        handParts = HandParts(journal.directory)
        nextJob = journal.state.nextJobNumber
        spool = journal.state.spool ?? ""
    }

    var isEnding: Bool { ending != nil }

    /// - Parameter onFatal: called when nothing can be recorded any more.
    func setFatalHandler(_ onFatal: @escaping @Sendable (any Error) -> Void) { self.onFatal = onFatal }

    func setOverHandler(_ onOver: @escaping @Sendable () -> Void) { self.onOver = onOver }

    // MARK: Beginning

    /// Connects, makes the spool and records `run_started`. What is asked for from then on waits until `setUp` is done.
    /// - Parameter onConnected: called before anything is made on the target.
    /// - Throws: `ECRFailure`. With `run_started` on record the run is kept.
    func start(claim: SpoolClaim, onConnected: @Sendable () -> Void) async throws {
        let target = try await connect()
        onConnected()
        let made = try await makeSpool(on: target, claim: claim)
        spool = made.path
        let other = made.other.map { JSON.string($0.holder) }
        do {
            try await requireRoot(for: profile.setup)
            try await requireFiles(of: profile.setup.map { try plan($0, given: []) })
        } catch {
            try? await target.removeSpool(spool)
            throw error
        }
        hold = .starting
        restoreRules()
        try await journal.append(
            .runStarted,
            [
                "target": .string(Self.targetName), "spool": .string(spool), "ecr": .string(ECRVersion.current),
                "shared_with": claim == .share ? other : nil, "taken_from": claim == .takeOver ? other : nil,
            ])
        await journal.saveManifest()
        takeFirstBaseline()
    }

    /// Runs the `setup:` actions and starts the collectors.
    /// - Throws: `EndedMeanwhile`; `ECRFailure` where an action fails, with which the run is aborted.
    func setUp(progress: @escaping @Sendable (String) -> Void, listener: @escaping Listener) async throws {
        for name in profile.setup { try await runSetup(name, progress, listener) }
        guard !isEnding else { throw EndedMeanwhile() }
        // Also in a pause that was asked for meanwhile: they belong to the start.
        for collector in profile.collectors where collector.start == .auto { try restartCollector(collector.name) }
        if hold == .starting { hold = nil }
        openGate()
    }

    func makeSpool(on target: Target, claim: SpoolClaim) async throws -> MadeSpool {
        let now = Clock.iso8601(microseconds: Clock.wallMicroseconds())
        do {
            return try await target.makeSpool(
                root: profile.connection.spoolDir, for: .thisMachine, now: now, claim: claim)
        } catch let error as SpoolError {
            throw ECRFailure(
                error.code == .heldByAnother ? .busy : .configuration, error.message,
                hint: error.code == .heldByAnother
                    ? "ecr run start … --share to work beside them, or --take-over if they are gone"
                    : "set `connection: spool_dir:` to a folder that \(target.facts.user) can write")
        }
    }

    private func runSetup(
        _ name: String, _ progress: @escaping @Sendable (String) -> Void, _ listener: @escaping Listener
    ) async throws {
        progress("setup: \(name)")
        let end: JobEnd
        // Not in turn: an action that waits until all of this is done may have the turn.
        do { end = try await perform(try plan(name, given: []), .setup, stage: nil, listener) } catch {
            if isEnding { throw EndedMeanwhile() }
            throw error
        }
        if isEnding { throw EndedMeanwhile() }
        guard end.outcome == .completed else {
            _ = try await abort(reason: "setup failed: \(name)")
            throw ECRFailure(
                .experimentSaidNo,
                "setup action \(name) \(end.outcome.rawValue)\(end.exit.map { ": exit \($0)" } ?? "")",
                hint: "ecr run show \(journal.directory.id)")
        }
    }

    /// Takes up an interrupted run: connects, reattaches every job that has no end on record.
    func resume(progress: @escaping @Sendable (String) -> Void) async throws -> Target {
        let state = journal.state
        if !state.isInterruptionRecorded {
            try await journal.append(.runInterrupted, ["last_event_time": .string(state.lastTime)])
        }
        let target = try await connect()
        restoreRules()
        let status = state.status == .paused ? "paused" : "running"
        try await journal.append(.runResumed, ["from": "interrupted", "state": .string(status)])
        try await closeInterruptedStages()
        takeFirstBaseline()
        for job in state.openJobs {
            progress("reattaching \(job.id)")
            if job.kind == .collector { resumeCollector(job) } else { try resumeAction(job) }
        }
        endRulesOfEndedActions()
        if state.status == .paused { putToSleep(Set(state.pausedCollectors)) }
        let dead = deadCollectors(in: state)
        if isSetUp(under: target.facts.boot) {
            for collector in dead { try restartCollector(collector) }
        } else {
            interruptedCollectors.formUnion(dead)
            beginRecovery(isReboot: true)
        }
        return target
    }

    func connect() async throws -> Target {
        do { return try await link.connect() } catch let error as SSHError { throw ECRFailure(error) }
    }

    // MARK: State

    /// Refuses a step that the run's state does not allow.
    func requireRunning() throws(ECRFailure) {
        try requireActive()
        guard journal.state.status == .running else {
            throw ECRFailure(
                .usage, "the run is paused\(journal.state.pauseReason.map { ": \($0)" } ?? ""), so nothing new starts",
                hint: "ecr run resume")
        }
    }

    /// Refuses what must wait until the target is ready again after a reboot.
    func requireReady() throws(ECRFailure) {
        try requireRunning()
        if case .failed(let reason) = hold {
            throw ECRFailure(.usage, reason, hint: "ecr run exec to mend it, then ecr run resume")
        }
    }

    /// Refuses a step that needs a run which is running or paused.
    func requireActive() throws(ECRFailure) {
        if isEnding { throw endingFailure(.usage) }
        let status = journal.state.status
        if status != .running && status != .paused {
            throw ECRFailure(.usage, "the run is \(status.rawValue)", hint: "ecr run show \(journal.directory.id)")
        }
    }

    /// Refuses an end while the run is only beginning: nothing would be compared yet.
    func requireSetUp() throws(ECRFailure) {
        guard hold == .starting else { return }
        throw ECRFailure(.busy, "the setup actions still run", hint: "ecr run follow, or ecr run abort")
    }

    /// What holds up an end that has begun can be cancelled.
    func endingFailure(_ code: ExitCode) -> ECRFailure {
        guard let job = live.keys.sorted().first else {
            return ECRFailure(code, "the run is ending", hint: "ecr run status")
        }
        return ECRFailure(code, "the run is ending and waits for \(job)", hint: "ecr run cancel \(job)")
    }

    func newJobID(_ name: String) -> String {
        let number = String(nextJob)
        nextJob += 1
        return String(repeating: "0", count: max(0, 4 - number.count)) + number + "-" + name
    }

    /// Tells the supervisor when the record has failed: nothing more may be acknowledged.
    func noticeFailure(_ error: any Error) {
        if let error = error as? EventLogError, error.code == .storage { onFatal?(error) }
        guard let error = error as? SystemError, error.isStorageFailure else { return }
        // Where a file has no room the record may still have some, or its reserve.
        if !hasStorageFailed { journal.post(.storageError, ["message": .string("\(error)")]) }
        hasStorageFailed = true
        onFatal?(error)
    }

    /// What only the supervisor knows.
    func status() async -> JSONObject {
        let now = Clock.boottimeNanoseconds()
        let jobs: [JSON] = live.sorted { $0.key < $1.key }.map { id, job in
            [
                "job": .string(id), "name": .string(job.name), "kind": .string(job.invocation.rawValue),
                "elapsed_s": .double(Double((now - job.began) / 10_000_000) / 100),
                "phase": .string(job.transfer.phase.rawValue),
            ]
        }
        return [
            "connected": .bool(await link.isConnected), "held": (hold?.reason).map { .string($0) },
            "holding": holding.map { .string($0) }, "rules": ruleStatus,
            "restarting": JSON(strings: restarts.filter { $0.value.pending != nil }.keys.sorted()),
            "ending": endingStatus, "waiting": JSON(strings: waiting), "jobs": .array(jobs),
            "transfers": .array(transferStatus),
            "needs_input": await link.needsInput.map { .string($0) } ?? .null,
        ]
    }

    private var waiting: [String] { heldUp.sorted { $0.key < $1.key }.map(\.value) + turns.map(\.name) }

    private var endingStatus: JSON {
        guard let ending else { return .null }
        let jobs = live.isEmpty ? collectors.values.map(\.job) : Array(live.keys)
        return [
            "kind": .string(ending.kind.rawValue), "since": .string(ending.since),
            "waits_for": JSON(strings: jobs.sorted()),
        ]
    }

    /// Appends what an operator has to say. It changes nothing of what runs, so it is possible in every state.
    /// - Parameter attachments: files that get their places with it.
    func record(_ type: EventType, _ data: JSONObject, _ attachments: [Attachment]) async throws -> JSON {
        guard EventType.byOperator.contains(type) else {
            throw ECRFailure(.usage, "an event '\(type.rawValue)' is not for a client to record")
        }
        let mask = journal.secrets.mask
        let complete = Attachment.completion(
            attachments.map { $0.renamed(mask.masked($0.name)) }, in: journal.directory)
        return ["seq": .int(try await journal.append(type, data, complete: complete).seq)]
    }
}

extension ECRFailure {
    /// The exit code for a failed connection.
    init(_ error: SSHError) {
        let code: ExitCode =
            switch error.code {
            case .hostKeyUnknown, .hostKeyChanged, .hostKeyRevoked, .authenticationFailed, .keyUnusable: .refused
            case .configuration: .configuration
            case .unreachable, .noCommonAlgorithm, .channelRefused, .connectionLost, .closed, .protocolViolation, .sftp:
                .unreachable
            }
        self.init(code, error.message, hint: error.hint)
    }
}
