/// What an event says has happened. Unknown types of newer versions are kept as they are.
package struct EventType: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { rawValue = value }

    package static let runCreated: EventType = "run_created"
    package static let runStarted: EventType = "run_started"
    package static let runPaused: EventType = "run_paused"
    package static let runResumed: EventType = "run_resumed"
    package static let runCompleted: EventType = "run_completed"
    package static let runInterrupted: EventType = "run_interrupted"
    package static let runAborted: EventType = "run_aborted"
    package static let stageStarted: EventType = "stage_started"
    package static let stageCompleted: EventType = "stage_completed"
    package static let stageFailed: EventType = "stage_failed"
    package static let actionStarted: EventType = "action_started"
    package static let actionCompleted: EventType = "action_completed"
    package static let actionFailed: EventType = "action_failed"
    package static let actionCancelled: EventType = "action_cancelled"
    package static let actionUnknown: EventType = "action_unknown"
    package static let actionRetry: EventType = "action_retry"
    package static let commandStarted: EventType = "command_started"
    package static let commandOutput: EventType = "command_output"
    package static let commandCompleted: EventType = "command_completed"
    package static let commandFailed: EventType = "command_failed"
    package static let artifactPullStarted: EventType = "artifact_pull_started"
    package static let artifactPulled: EventType = "artifact_pulled"
    package static let artifactPullFailed: EventType = "artifact_pull_failed"
    package static let collectorStarted: EventType = "collector_started"
    package static let collectorStopped: EventType = "collector_stopped"
    /// `{target, collector, job, rows, skipped?, unfinished_tick?, offset, length, sha256, log_bytes, table_bytes,
    /// table_length?, table_sha256?}`: samples. `offset` and `length` are those of a piece of the job's spool, with its hash;
    /// `log_bytes` is the length of the collector's log behind it. `table_bytes` is the length of the table behind the last
    /// row; `table_length` and `table_sha256` are those of what came to it. `skipped` is a list of `[first, last]` ticks
    /// that were left out because the sample before still ran; `unfinished_tick` the sample that was being taken when the
    /// sampler was stopped.
    package static let collectorOutput: EventType = "collector_output"
    package static let collectorError: EventType = "collector_error"
    /// `{target, collector, job, from, to, reason, samples?, first_tick?, last_tick?}`: from one time to another (UTC, by
    /// the controller's clock) a collector should have sampled, and nothing of it is in the record. `job` is the one
    /// whose last sample before it stands at `from`; `samples` is how many are missing, where that is known. With
    /// `first_tick` and `last_tick` the sampler had numbered them, so they were lost; without, none were taken.
    package static let collectorGap: EventType = "collector_gap"
    package static let connectionEstablished: EventType = "connection_established"
    package static let connectionLost: EventType = "connection_lost"
    package static let connectionRetry: EventType = "connection_retry"
    package static let targetRebooted: EventType = "target_rebooted"
    package static let spoolMade: EventType = "spool_made"
    package static let targetFacts: EventType = "target_facts"
    package static let clockOffset: EventType = "clock_offset"
    package static let ledger: EventType = "ledger"
    package static let parameterSet: EventType = "parameter_set"
    /// `{text, at?}`: an observation by a person; `at`: when it was made, if that was not now.
    package static let note: EventType = "note"
    /// `{seq, text}`: what the note `seq` should have said. The note stays; the last edit of it counts.
    package static let edit: EventType = "edit"
    /// `{tag}`.
    package static let tagAdded: EventType = "tag_added"
    /// `{tag}`.
    package static let tagRemoved: EventType = "tag_removed"
    /// `{text, …}`: something noticed by a program.
    package static let observation: EventType = "observation"
    /// `{job | from, to, verdict, reason?}`: whether a job, or all that happened from one time to another, is to be used
    /// (`verdict`: `ok` or `invalid`). The last mark of a thing counts; see `RunState`.
    package static let mark: EventType = "mark"
    package static let logRecovered: EventType = "log_recovered"
    package static let clockJump: EventType = "clock_jump"
    package static let storageError: EventType = "storage_error"
    package static let exported: EventType = "exported"

    /// Every type that is or will be recorded.
    package static let all: [EventType] = [
        .runCreated, .runStarted, .runPaused, .runResumed, .runCompleted, .runInterrupted, .runAborted,
        .stageStarted, .stageCompleted, .stageFailed, .actionStarted, .actionCompleted, .actionFailed,
        .actionCancelled, .actionUnknown, .actionRetry, .commandStarted, .commandOutput, .commandCompleted,
        .commandFailed, .artifactPullStarted, .artifactPulled, .artifactPullFailed, "upload_started", "uploaded",
        "upload_failed", .collectorStarted, .collectorStopped, .collectorOutput, .collectorError, .collectorGap,
        .connectionEstablished, .connectionLost, .connectionRetry, "connection_failed", .targetRebooted, .targetFacts,
        .clockOffset, "metric", "interval_marked", "rule_fired", .ledger, .note, .edit, .parameterSet, .tagAdded,
        .tagRemoved, .observation, .mark, .logRecovered, "clock_jump", .storageError, .exported, "imported",
    ]

    /// What an operator may have recorded, at any time.
    package static let byOperator: Set<EventType> = [.note, .edit, .tagAdded, .tagRemoved, .observation, .mark]

    /// The terminal events of an action's job.
    package static let actionEnds: Set<EventType> = [.actionCompleted, .actionFailed, .actionCancelled, .actionUnknown]
}
