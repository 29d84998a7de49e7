import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import RunStore

/// One attempt of an action, or one ad hoc command, ready to run.
struct JobSpec: Sendable {
    /// Who asked for it: recorded with the job.
    enum Invocation: String, Sendable { case action, exec, setup, finally }

    var name: String
    var invocation: Invocation
    /// The stage that it is a part of.
    var stage: String?
    var attempt = 1
    var commands: [String]
    var environment: [(name: String, value: String)] = []
    var workdir: String?
    var timeout: Double?
    /// Seconds without the controller's contact after which the target ends the job.
    var silence: Double?
    /// What goes to the target before the commands; absolute paths here.
    var uploads: [PreparedUpload] = []
    var artifacts: [PreparedArtifact] = []
    var metrics: [PreparedMetric] = []
    var parameters: [(name: String, value: String)] = []
    /// Whether it runs under sudo, and how, where the login user is not root already.
    var isRoot = false
    var root: RootAccess?
    /// Whether it runs without a spool, on a channel of its own.
    var isAttached = false
    /// Whether its commands were read from the record with a secret masked in them.
    var isMasked = false
}

/// How a job ended, for the client that asked for it.
struct JobEnd: Sendable {
    let job: String
    let name: String
    let outcome: JobState.Outcome
    var exit: Int64?
    var reason: String?
    var duration: Double?
    var artifacts: [String] = []
    var warnings: [String] = []
    var metrics: JobMetrics?

    /// What `ecr run action` exits with.
    var exitCode: ExitCode {
        switch outcome {
        case .completed, .stopped: .success
        case .failed where reason == "timeout": .timeout
        case .failed where reason == "disk": .storage
        case .failed: .experimentSaidNo
        case .cancelled: .interrupted
        case .unknown, .running: .unknownOutcome
        }
    }

    var json: JSON {
        [
            "job": .string(job), "name": .string(name), "outcome": .string(outcome.rawValue),
            "exit": exit.map { .int($0) }, "reason": reason.map { .string($0) },
            "duration_s": duration.map { .double($0) }, "artifacts": JSON(strings: artifacts),
            "metrics": metrics?.json["metrics"],
            "warnings": JSON(strings: warnings), "exit_code": .int(Int64(exitCode.rawValue)),
        ]
    }

    /// What the record says of a job that is over.
    init(_ state: JobState) {
        job = state.id
        name = state.name
        outcome = state.outcome
        exit = state.exit
        reason = state.reason
        duration = state.duration
        metrics = state.metrics
    }

    init(job: String, name: String, outcome: JobState.Outcome) {
        self.job = job
        self.name = name
        self.outcome = outcome
    }
}
