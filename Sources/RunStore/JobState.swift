package import JSON

/// What the events say of one job.
package struct JobState: Sendable, Equatable {
    package enum Kind: String, Sendable { case action, exec, collector }

    /// How events name the folder in which a job leaves files, which goes with the spool.
    package static let outputName = "$ECR_OUT"

    /// Where a job stands. `running` means: started and no end is on record.
    package enum Outcome: String, Sendable { case running, completed, failed, cancelled, unknown, stopped }

    package let id: String
    package let kind: Kind
    /// The action's or collector's name.
    package let name: String
    package var stage: String?
    /// Who asked for it: `action`, `exec`, `setup` or `finally`; nil for a collector.
    package var invocation: String?
    package var attempt = 1
    package var outcome = Outcome.running
    package var exit: Int64?
    package var reason: String?
    /// Seconds by the target's clock.
    package var duration: Double?
    /// Its beginning and its end in seconds of the target's boottime clock.
    package var span: ClosedRange<Double>?
    package var metrics: JobMetrics?
    package var window: JobWindow?
    /// When `*_started` was appended, and when the end was.
    package var started: String
    package var ended: String?
    /// When the last event about it was appended.
    package var lastSeen: String
    /// How many bytes of each stream are on record; for a collector `stdoutBytes` counts those of its spool.
    package var stdoutBytes: Int64 = 0
    package var stderrBytes: Int64 = 0
    /// A collector's samples.
    package var samples: Int64 = 0
    /// Those of which its format could take nothing.
    package var unparsed: Int64 = 0
    /// The length of a collector's table behind its last recorded row.
    package var tableBytes: Int64 = 0
    /// How a collector's samples follow one another.
    package var sampling = SamplingState()
    /// How many of the recorded bytes stand in the place of a secret.
    package var stdoutMasked: Int64 = 0
    package var stderrMasked: Int64 = 0
    /// It ran on a channel of its own, without a spool: there is no copy of its output on the target.
    package var isAttached = false
    /// nil where all that it has left in `$ECR_OUT` is here.
    package var unfetched: UnfetchedOutput?
    /// Its commands have ended on the target; what it has left is looked for then. Known of a job whose end is not on
    /// record, too.
    package var haveCommandsEnded = false
    /// What an operator has said of the job itself; `RunState.invalidity` also knows marked times.
    package var mark: Mark?
    /// What a reattach must know: the spool directory in which the job was launched and the boot id of the target then.
    package var spool: String?
    package var boot: String?

    /// Nothing of it has run: the target's disk had no room for its records, a file that it needs could not be uploaded,
    /// or it was cancelled before. What has run and ended has an exit.
    package var wasRefused: Bool {
        let hasEnded = outcome == .failed || outcome == .cancelled
        return kind != .collector && hasEnded && exit == nil && stdoutBytes == 0 && stderrBytes == 0
    }

    package init(id: String, kind: Kind, name: String, started: String) {
        self.id = id
        self.kind = kind
        self.name = name
        self.started = started
        lastSeen = started
    }

    /// The job and when it was last heard of, for a job that nobody can ask about.
    package var sighting: JSON {
        [
            "job": .string(id), "last_seen": .string(lastSeen), "commands_ended": haveCommandsEnded ? true : nil,
        ]
    }

    /// Why jobs end whose end nobody waits for.
    package static let abortReason = "the run was aborted"

    /// An abort has left it as it was: what it has written since then was not looked for.
    package var wasAbandoned: Bool { outcome == .unknown && reason?.hasPrefix(Self.abortReason) == true }

    /// Whether a person or a script has asked for it, rather than the profile.
    package var isAskedFor: Bool { kind != .collector && invocation != "setup" && invocation != "finally" }

    package var json: JSON {
        [
            "job": .string(id), "kind": .string(kind.rawValue), "name": .string(name),
            "stage": stage.map { .string($0) },
            "invocation": invocation.map { .string($0) }, "attempt": JSON(attempt),
            "outcome": .string(outcome.rawValue), "exit": exit.map { .int($0) },
            "reason": reason.map { .string($0) }, "duration_s": duration.map { .double($0) },
            "started": .string(started), "ended": ended.map { .string($0) }, "last_seen": .string(lastSeen),
            "stdout_bytes": .int(stdoutBytes),
            "stderr_bytes": .int(stderrBytes), "stdout_masked": stdoutMasked > 0 ? .int(stdoutMasked) : nil,
            "stderr_masked": stderrMasked > 0 ? .int(stderrMasked) : nil, "attached": isAttached ? true : nil,
            "samples": kind == .collector ? .int(samples) : nil,
            "unparsed": unparsed > 0 ? .int(unparsed) : nil,
            "table_bytes": kind == .collector ? .int(tableBytes) : nil,
            "sampling": kind == .collector ? sampling.json : nil, "spool": spool.map { .string($0) },
            "boot": boot.map { .string($0) }, "unfetched": unfetched.map { .string($0.reason) },
            "output_gone": unfetched?.isGone == true ? true : nil,
            "unfetched_limit": unfetched?.limit.map { .string($0) }, "unfetched_seq": unfetched.map { .int($0.seq) },
            "commands_ended": haveCommandsEnded ? true : nil, "mark": mark?.json,
            "span": span.map { [.double($0.lowerBound), .double($0.upperBound)] }, "metrics": metrics?.json,
            "window": window.map { .object($0.members(count: metrics?.count)) },
        ]
    }

    init?(json: JSON) {
        guard let id = json["job"]?.string, let kind = Kind(rawValue: json["kind"]?.string ?? ""),
            let name = json["name"]?.string, let outcome = Outcome(rawValue: json["outcome"]?.string ?? ""),
            let started = json["started"]?.string
        else { return nil }
        self.init(id: id, kind: kind, name: name, started: started)
        self.outcome = outcome
        stage = json["stage"]?.string
        invocation = json["invocation"]?.string
        attempt = Int(json["attempt"]?.int ?? 1)
        lastSeen = json["last_seen"]?.string ?? started
        exit = json["exit"]?.int
        reason = json["reason"]?.string
        duration = json["duration_s"]?.double
        ended = json["ended"]?.string
        stdoutBytes = json["stdout_bytes"]?.int ?? 0
        stderrBytes = json["stderr_bytes"]?.int ?? 0
        stdoutMasked = json["stdout_masked"]?.int ?? 0
        stderrMasked = json["stderr_masked"]?.int ?? 0
        isAttached = json["attached"]?.bool ?? false
        samples = json["samples"]?.int ?? 0
        unparsed = json["unparsed"]?.int ?? 0
        tableBytes = json["table_bytes"]?.int ?? 0
        sampling = SamplingState(json: json["sampling"])
        spool = json["spool"]?.string
        boot = json["boot"]?.string
        unfetched = UnfetchedOutput(job: json)
        haveCommandsEnded = json["commands_ended"]?.bool ?? false
        mark = Mark(json: json["mark"])
        span = ClosedRange(json["span"]?.array?.first?.double, json["span"]?.array?.last?.double)
        metrics = json["metrics"].map { JobMetrics($0) }
        window = JobWindow(json: json["window"])
    }
}

extension ClosedRange<Double> {
    /// Nil unless both are there, in their order.
    init?(_ begin: Double?, _ end: Double?) {
        guard let begin, let end, begin <= end else { return nil }
        self = begin...end
    }
}
