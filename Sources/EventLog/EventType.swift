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
    package static let uploadStarted: EventType = "upload_started"
    package static let uploaded: EventType = "uploaded"
    package static let uploadFailed: EventType = "upload_failed"
    package static let collectorStarted: EventType = "collector_started"
    package static let collectorStopped: EventType = "collector_stopped"
    package static let collectorOutput: EventType = "collector_output"
    package static let collectorError: EventType = "collector_error"
    package static let collectorRetry: EventType = "collector_retry"
    package static let collectorGap: EventType = "collector_gap"
    package static let connectionEstablished: EventType = "connection_established"
    package static let connectionLost: EventType = "connection_lost"
    package static let connectionRetry: EventType = "connection_retry"
    package static let targetRebooted: EventType = "target_rebooted"
    package static let spoolMade: EventType = "spool_made"
    package static let targetFacts: EventType = "target_facts"
    package static let clockOffset: EventType = "clock_offset"
    package static let metric: EventType = "metric"
    package static let metricsDerived: EventType = "metrics_derived"
    package static let actionWindow: EventType = "action_window"
    package static let ruleFired: EventType = "rule_fired"
    package static let intervalMarked: EventType = "interval_marked"
    package static let ledger: EventType = "ledger"
    package static let parameterSet: EventType = "parameter_set"
    package static let note: EventType = "note"
    package static let edit: EventType = "edit"
    package static let tagAdded: EventType = "tag_added"
    package static let tagRemoved: EventType = "tag_removed"
    package static let observation: EventType = "observation"
    package static let mark: EventType = "mark"
    package static let logRecovered: EventType = "log_recovered"
    package static let clockJump: EventType = "clock_jump"
    package static let storageError: EventType = "storage_error"
    package static let exported: EventType = "exported"

    /// What an operator may have recorded, at any time.
    package static let byOperator: Set<EventType> = [.note, .edit, .tagAdded, .tagRemoved, .observation, .mark]

    /// The terminal events of an action's job.
    package static let actionEnds: Set<EventType> = [.actionCompleted, .actionFailed, .actionCancelled, .actionUnknown]
}
