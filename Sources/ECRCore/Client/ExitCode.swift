/// What the exit codes of `ecr` mean. Scripts rely on them: a number never changes its meaning.
package enum ExitCode: Int32, Sendable, CaseIterable {
    case success = 0
    case experimentSaidNo = 1
    case usage = 64
    case invalidInput = 65
    case notFound = 66
    case unreachable = 69
    case bug = 70
    case storage = 74
    case busy = 75
    case damaged = 76
    case refused = 77
    case configuration = 78
    case unknownOutcome = 79
    case timeout = 124
    case interrupted = 130
    case terminated = 143

    /// For `ecr help exit-codes` and the man page.
    package var meaning: String {
        switch self {
        case .success: "success"
        case .experimentSaidNo: "the experiment said no: an action failed, a verdict is not PASS, a ledger has holes"
        case .usage: "usage: a wrong option, an illegal step, an unknown name, a missing value"
        case .invalidInput: "an invalid profile, experiment or dataset"
        case .notFound: "no such run, profile or file"
        case .unreachable: "the target cannot be reached; nothing was started"
        case .bug: "a bug in ecr"
        case .storage: "could not record: the disk is full or failed"
        case .busy: "busy: nothing was started, retrying is safe"
        case .damaged: "the event stream is damaged"
        case .refused: "the host key or the authentication was refused"
        case .configuration: "the configuration of this machine is wrong"
        case .unknownOutcome: "the outcome is unknown: do not repeat the command, type `ecr run follow`"
        case .timeout: "an action timed out"
        case .interrupted: "cancelled by Ctrl-C (SIGINT)"
        case .terminated: "cancelled by SIGTERM"
        }
    }
}
