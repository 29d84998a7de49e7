/// How a job ended, as its wrapper wrote it on the target.
package struct ExitRecord: Sendable, Equatable {
    package enum Reason: String, Sendable {
        case exit, timeout, cancel
        /// The controller was not there for longer than the job may be alone.
        case unreachable
        /// Sudo did not let the commands begin.
        case sudo
        /// The target's disk had no room for the job's records, so that the commands were not begun.
        case disk
    }
    package enum Death: String, Sendable {
        case notAsked = "-"
        case confirmed
        case unconfirmed
    }

    /// The shell's status: 128+N when signal N killed the command.
    package let status: Int64
    package let reason: Reason
    /// Whether a killed process group was seen to be gone.
    package let death: Death
    /// Seconds of the target's boottime clock.
    package let started: Double
    package let ended: Double
    /// The write positions at the end; the files may be longer when the job reopened its own output.
    package let stdoutBytes: Int64
    package let stderrBytes: Int64
    /// Whether `$ECR_OUT` has something in it.
    package let hasFiles: Bool

    /// Reads the record's line; nil for anything that is not whole.
    package init?(line: some StringProtocol) {
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 11, words[0] == "exit", words[1] == "1", words[10] == "end", let status = Int64(words[2]),
            let reason = Reason(rawValue: String(words[3])), let death = Death(rawValue: String(words[4])),
            let started = Double(words[5]), let ended = Double(words[6]), let stdout = Int64(words[7]),
            let stderr = Int64(words[8])
        else { return nil }
        self.status = status
        self.reason = reason
        self.death = death
        self.started = started
        self.ended = ended
        stdoutBytes = stdout
        stderrBytes = stderr
        hasFiles = words[9] == "1"
    }

    package var duration: Double { max(0, ended - started) }
}

/// What the target knows of a job when ECR asks again after a break.
package enum JobStanding: Sendable, Equatable {
    /// The run's spool directory is gone.
    case spoolLost
    /// Nobody has claimed the job: it was never launched.
    case unclaimed
    /// Claimed, and nothing more is on record: whether it ran cannot be known.
    case claimedOnly
    case running
    /// The job lives, its wrapper doesn't: its exit cannot be known.
    case wrapperLost
    /// Neither lives, and no exit is on record.
    case vanished
    /// The target has another boot id than the one under which the job was started.
    case rebooted
    case ended(ExitRecord)

    /// Reads the answer of `ecr_status` under the present boot id.
    init(reply: String, boot: String) {
        let lines = reply.split(separator: "\n").map(String.init)
        if let record = lines.lazy.compactMap({ ExitRecord(line: $0) }).first {
            self = .ended(record)
        } else if lines.contains("nospool") {
            self = .spoolLost
        } else if lines.contains("noclaim") {
            self = .unclaimed
        } else if let meta = lines.first(where: { $0.hasPrefix("meta 1 ") && $0.hasSuffix(" end") }) {
            let words = meta.split(separator: " ")
            if words.count == 9, words[6] != boot {
                self = .rebooted
            } else if lines.contains("wrapper alive") {
                self = .running
            } else {
                self = lines.contains("job alive") ? .wrapperLost : .vanished
            }
        } else {
            self = .claimedOnly
        }
    }
}
