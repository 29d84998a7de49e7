package import EventLog
package import JSON

/// A run as its events tell it: a pure fold, so that everything but `events.jsonl` can be rebuilt.
package struct RunState: Sendable, Equatable {
    /// The recorded state. `interrupted` is not among them: it is derived from a running or paused run whose supervisor
    /// is gone (see `RunCondition`).
    package enum Status: String, Sendable { case created, running, paused, completed, aborted }

    package var status = Status.created
    package var uuid = ""
    package var shortID = ""
    package var name = ""
    package var profile = ""
    package var profileFile = ""
    package var tags: [String] = []
    package var author: String?
    package var licence: String?
    /// What the controller is to run when something happens, as `run_created` has it.
    package var notify: JSONObject?
    package var parameters = JSONObject()
    package var created = ""
    package var started: String?
    package var ended: String?
    package var endReason: String?
    /// Why the run is paused, if somebody has said so.
    package var pauseReason: String?
    /// Collectors that a pause has stopped, and that go on after it.
    package var pausedCollectors: [String] = []
    /// Whether `run_interrupted` is on record since the last start or resume.
    package var isInterruptionRecorded = false
    /// `connection_established`'s data of the last connection: host, port, user, host_key, address.
    package var connection = JSONObject()
    package var isConnected = false
    /// For each boot of the target what its `clock_offset` events tell.
    private var clocks: [String: TargetClock] = [:]
    /// What is known of the collectors beside their jobs.
    package var collectors = CollectorsState()
    /// The last `target_facts` of a connection.
    package var facts = JSONObject()
    /// The target's state at the start and at the end of the run.
    package var baselines = TargetBaselines()
    /// The spool directory on the target.
    package var spool: String?
    /// Jobs in the order of their start.
    package private(set) var jobs: [JobState] = []
    private var jobIndex: [String: Int] = [:]
    /// Stages in the order of their start.
    package var stages: [StageState] = []
    package var notes: Int64 = 0
    /// The last notes, of any length of the run.
    package private(set) var recentNotes: [NoteState] = []
    /// How many corrections of notes there are.
    package private(set) var edits: Int64 = 0
    /// The times that are marked invalid; marks of jobs stand with the jobs.
    package var invalidTimes = InvalidTimes()
    /// Whether the run is over and nothing was recorded since its last export.
    package var isExported = false
    /// The data of every `artifact_pulled`.
    package var artifacts = JSONList()
    /// How often one did not come.
    package var failedPulls: Int64 = 0
    package var missingArtifacts = MissingArtifacts()
    /// The data of every `uploaded`.
    package var uploads = JSONList()
    package var failedUploads: Int64 = 0
    /// The data of every `collector_gap`.
    package var gaps: [JSON] = []
    /// When each `target_rebooted` was recorded, and the new boot id.
    package var reboots: [JSON] = []
    /// Rules that have begun, and the times that they have marked.
    package var rules = RulesState()
    /// Of each collector the last sample: time, and values or text.
    package private(set) var latest = LatestSamples()
    package var ledger: JSONObject?
    package var lastTime = ""
    /// Behind the last event that was folded in.
    package var checkpoint = Checkpoint()

    package init() {}

    package static func == (left: RunState, right: RunState) -> Bool { left.json(id: "") == right.json(id: "") }

    package func job(_ id: String) -> JobState? { jobIndex[id].map { jobs[$0] } }

    /// What places uptimes of one boot of the target on the controller's time base; nil for an unknown boot.
    package func clock(ofBoot boot: String) -> TargetClock? { clocks[boot].flatMap { $0.isEmpty ? nil : $0 } }

    /// Jobs without an end on record.
    package var openJobs: [JobState] { jobs.filter { $0.outcome == .running } }

    /// Jobs that an abort has left as they were: the target may know how they ended.
    package var abandonedJobs: [JobState] { jobs.filter { $0.wasAbandoned && !$0.isAttached } }

    /// Where the target was found by the last `reconnect --host`, unless the profile's own address counts again.
    package var movedHost: MovedHost? {
        guard connection["moved"]?.bool == true, let host = connection["host"]?.string else { return nil }
        return MovedHost(host: host, port: connection["port"]?.int.flatMap { Int(exactly: $0) })
    }

    package var isOver: Bool { status == .completed || status == .aborted }

    /// The number of the next job.
    package var nextJobNumber: Int { (jobs.compactMap { Int($0.id.prefix { $0 != "-" }) }.max() ?? 0) + 1 }

    /// Folds in what was appended to the stream since the checkpoint.
    package mutating func catchUp(with path: String) throws {
        var reader = try EventReader(path: path, from: checkpoint)
        while let event = try reader.next() { apply(event) }
        checkpoint = reader.checkpoint
    }

    /// Folds in the next event. The checkpoint is the caller's: it knows the bytes.
    package mutating func apply(_ event: Event) {
        lastTime = event.time
        isExported = isOver && event.type == .exported
        let data = event.data
        switch event.type {
        case .runCreated: applyCreation(event)
        case .runStarted:
            status = .running
            started = event.time
            isInterruptionRecorded = false
            spool = data["spool"]?.string ?? spool
        case .runPaused:
            status = .paused
            pauseReason = data["reason"]?.string
            pausedCollectors = data["collectors"]?.array?.compactMap(\.string) ?? []
        case .runResumed:
            status = Status(rawValue: data["state"]?.string ?? "") ?? .running
            if status == .running { (pauseReason, pausedCollectors) = (nil, []) }
            isInterruptionRecorded = false
        case .runInterrupted:
            isInterruptionRecorded = true
            isConnected = false
        case .runCompleted, .runAborted:
            status = event.type == .runCompleted ? .completed : .aborted
            ended = event.time
            endReason = data["reason"]?.string
            isConnected = false
        case .connectionEstablished:
            connection = data
            // A drain connects to the target of a run that is over, for a moment.
            isConnected = !isOver
        case .connectionLost: isConnected = false
        case .spoolMade: spool = data["spool"]?.string ?? spool
        case .clockOffset: if let boot = data["boot_id"]?.string { clocks[boot, default: TargetClock()].add(data) }
        case .targetFacts: if !baselines.take(data) { facts = data }
        case .stageStarted: stages.append(StageState(event))
        case .stageCompleted, .stageFailed: endStage(event)
        case .parameterSet:
            if let name = data["name"]?.string { parameters[name] = data["value"] ?? .null }
        case .note: applyNote(event)
        case .edit: applyEdit(event)
        case .mark: applyMark(event)
        case .tagAdded: if let tag = data["tag"]?.string, !tags.contains(tag) { tags.append(tag) }
        case .tagRemoved: tags.removeAll { $0 == data["tag"]?.string }
        case .artifactPullStarted, .artifactPulled, .artifactPullFailed: applyPull(event)
        case .uploaded: uploads.append(.object(data))
        case .uploadFailed: failedUploads += 1
        case .targetRebooted: reboots.append(["time": .string(event.time), "boot_id": data["boot_id"]])
        case .ruleFired, .intervalMarked: rules.apply(event)
        case .ledger:
            ledger = data
            if data["complete"]?.bool == true { for job in unfetched { change(job.id) { $0.unfetched = nil } } }
        case .collectorGap:
            gaps.append(.object(data))
            applyToJob(event)
        default: applyToJob(event)
        }
    }

    /// Origin of 20: what a screen shows; the manifest holds them, the stream holds all.
    private static let notesKept = 20

    private mutating func applyNote(_ event: Event) {
        notes += 1
        recentNotes.append(NoteState(event))
        if recentNotes.count > Self.notesKept { recentNotes.removeFirst() }
    }

    private mutating func applyPull(_ event: Event) {
        let data = event.data
        noteUnfetched(event)
        if event.type == .artifactPulled { artifacts.append(.object(data)) }
        if event.type == .artifactPullFailed {
            failedPulls += 1
            return missingArtifacts.apply(failure: data, by: firstAttempt(data), seq: event.seq)
        }
        if missingArtifacts.isEmpty { return }
        if event.type == .artifactPulled {
            missingArtifacts.apply(pulled: data, by: firstAttempt(data))
        } else {
            missingArtifacts.apply(started: data, by: firstAttempt(data))
        }
    }

    /// Only once all of it is here nothing is missing: a fetch may be cut, by the end of its supervisor as well.
    private mutating func noteUnfetched(_ event: Event) {
        guard event.type == .artifactPullFailed, let output = UnfetchedOutput(event) else { return }
        change(event.data["job"]?.string ?? "") { $0.unfetched = output }
    }

    /// The job of an event, by its first attempt: actions take turns, so the others are the next jobs of its action.
    private func firstAttempt(_ data: JSONObject) -> String {
        guard let id = data["job"]?.string, var index = jobIndex[id] else { return data["job"]?.string ?? "" }
        while jobs[index].attempt > 1,
            let earlier = jobs[..<index].lastIndex(where: {
                $0.name == jobs[index].name && $0.kind == jobs[index].kind && $0.attempt == jobs[index].attempt - 1
            })
        { index = earlier }
        return jobs[index].id
    }

    private mutating func applyEdit(_ event: Event) {
        edits += 1
        let seq = event.data["seq"]?.int
        guard let index = recentNotes.firstIndex(where: { $0.seq == seq }) else { return }
        recentNotes[index].correct(event)
    }

    private mutating func applyCreation(_ event: Event) {
        created = event.time
        uuid = event.data["uuid"]?.string ?? ""
        shortID = event.data["short_id"]?.string ?? ""
        name = event.data["name"]?.string ?? ""
        profile = event.data["profile"]?.string ?? ""
        profileFile = event.data["profile_file"]?.string ?? ""
        tags = event.data["tags"]?.array?.compactMap(\.string) ?? []
        author = event.data["author"]?.string
        licence = event.data["licence"]?.string
        notify = event.data["notify"]?.object
        parameters = event.data["parameters"]?.object ?? [:]
    }

    private mutating func endStage(_ event: Event) {
        let name = event.data["stage"]?.string
        guard let index = stages.lastIndex(where: { $0.name == name && $0.outcome == .running }) else { return }
        stages[index].end(event)
    }

    private mutating func applyToJob(_ event: Event) {
        if event.type == .collectorStarted || event.type == .collectorError { collectors.apply(event) }
        guard let id = event.data["job"]?.string else { return }
        switch event.type {
        case .actionStarted, .collectorStarted: start(id, event)
        case .actionCompleted, .actionFailed, .actionCancelled, .actionUnknown, .collectorStopped: end(id, event)
        case .commandOutput:
            let behind = (event.data["offset"]?.int ?? 0) &+ (event.data["length"]?.int ?? 0)
            let masked = event.data["masked"]?.int ?? 0
            let isError = event.data["stream"]?.string == "stderr"
            change(id) {
                $0.lastSeen = event.time
                if isError { $0.stderrBytes = behind } else { $0.stdoutBytes = behind }
                if isError { $0.stderrMasked &+= masked } else { $0.stdoutMasked &+= masked }
            }
        case .collectorOutput:
            latest.apply(event.data)
            let behind = (event.data["offset"]?.int ?? 0) &+ (event.data["length"]?.int ?? 0)
            let rows = Int64(event.data["rows"]?.array?.count ?? 0)
            change(id) {
                $0.lastSeen = event.time
                $0.stdoutBytes = behind
                $0.stdoutMasked &+= event.data["masked"]?.int ?? 0
                $0.samples += rows
                $0.unparsed &+= event.data["unparsed"]?.int ?? 0
                $0.tableBytes = event.data["table_bytes"]?.int ?? $0.tableBytes
                $0.sampling.apply(output: event.data)
            }
        case .commandStarted, .commandCompleted, .commandFailed: change(id) { $0.haveCommandsEnded = true }
        case .outputsFetched:
            change(id) { $0.unfetched = nil }
        case .metricsDerived: change(id) { $0.metrics = JobMetrics(.object(event.data)) }
        case .actionWindow: change(id) { $0.window = JobWindow(json: .object(event.data)) }
        case .collectorGap: change(id) { $0.sampling.apply(gap: event.data) }
        default: break
        }
    }

    private mutating func start(_ id: String, _ event: Event) {
        let data = event.data
        let kind: JobState.Kind =
            event.type == .collectorStarted ? .collector : data["invocation"]?.string == "exec" ? .exec : .action
        let name = data["collector"]?.string ?? data["action"]?.string ?? ""
        var job = JobState(id: id, kind: kind, name: name, started: event.time)
        job.stage = data["stage"]?.string
        job.invocation = data["invocation"]?.string
        job.attempt = Int(data["attempt"]?.int ?? 1)
        job.spool = data["spool"]?.string
        job.boot = data["target_boot"]?.string
        job.isAttached = data["attached"]?.bool ?? false
        job.sampling = SamplingState(interval: data["interval_s"]?.double)
        jobIndex[id] = jobs.count
        jobs.append(job)
    }

    private mutating func end(_ id: String, _ event: Event) {
        change(id) {
            $0.ended = event.time
            $0.exit = event.data["exit"]?.int
            $0.reason = event.data["reason"]?.string
            $0.duration = event.data["duration_s"]?.double
            $0.span = ClosedRange(event.data["started_target"]?.double, event.data["ended_target"]?.double)
            switch event.type {
            case .actionCompleted: $0.outcome = .completed
            case .actionFailed: $0.outcome = .failed
            case .actionCancelled: $0.outcome = .cancelled
            case .collectorStopped: $0.outcome = event.data["outcome"]?.string == "unknown" ? .unknown : .stopped
            default: $0.outcome = .unknown
            }
        }
    }

    mutating func change(_ id: String, _ body: (inout JobState) -> Void) {
        guard let index = jobIndex[id] else { return }
        body(&jobs[index])
    }

    var clocksJSON: JSON {
        var object = JSONObject()
        for (boot, clock) in clocks.sorted(by: { $0.key < $1.key }) { object[boot] = clock.json }
        return .object(object)
    }

    mutating func restore(clocks restored: JSON?) {
        for (boot, json) in restored?.object?.members ?? [] { clocks[boot] = TargetClock(json: json) }
    }

    mutating func restore(latest json: JSON?) { latest = LatestSamples(json: json) }

    mutating func restore(jobs restored: [JobState], notes: [NoteState], edits: Int64) {
        jobs = restored
        recentNotes = notes
        self.edits = edits
        jobIndex = Dictionary(restored.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { $1 })
    }
}

/// What a reader reports: the recorded state, or `interrupted` when a started run's supervisor is gone.
package enum RunCondition {
    package static func word(_ state: RunState, hasSupervisor: Bool) -> String {
        if (state.status == .running || state.status == .paused) && !hasSupervisor { return "interrupted" }
        return state.status.rawValue
    }
}
