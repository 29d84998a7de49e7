import LinuxSystem
package import SSH

/// One launch: an attempt of an action or a collector's sampler.
package struct JobRequest: Sendable {
    /// `<4-digit counter>-<name>`.
    package var job: String
    /// The run's spool directory on the target.
    package var spool: String
    /// Shell text, in order, each for a fresh `sh`.
    package var commands: [String]
    package var environment: [(name: String, value: String)]
    package var workdir: String?
    /// Seconds, kept by the target.
    package var timeout: Double?
    /// Seconds without the controller's contact after which the target ends the job; see `Target.signContact`.
    package var silence: Double?
    /// Set for a job that runs under sudo.
    package var root: RootAccess?

    package init(
        job: String, spool: String, commands: [String], environment: [(name: String, value: String)] = [],
        workdir: String? = nil, timeout: Double? = nil, silence: Double? = nil,
        root: RootAccess? = nil
    ) {
        self.job = job
        self.spool = spool
        self.commands = commands
        self.environment = environment
        self.workdir = workdir
        self.timeout = timeout
        self.silence = silence
        self.root = root
    }

    /// The job's folder in the spool.
    package var folder: String { "\(spool)/\(SpoolFolder.name(of: job))" }
}

/// How jobs are called in a spool: by their number, which is unique in a run.
package enum SpoolFolder {
    package static func name(of job: String) -> String { String(job.prefix { $0 != "-" }) }

    /// A job's `$ECR_OUT`.
    package static func output(of job: String, in spool: String) -> String { "\(spool)/\(name(of: job))/out" }

    /// The folder of the job that will probably come next.
    static func following(_ job: String) -> String {
        let digits = name(of: job)
        let next = String((Int(digits) ?? 0) + 1)
        return String(repeating: "0", count: max(0, digits.count - next.count)) + next
    }
}

package enum LaunchResult: Sendable, Equatable {
    case launched
    /// Somebody has claimed the job before: follow it.
    case claimedBefore
    case spoolLost
    /// The claim could not be written.
    case noSpace
}

/// What a target still has of what a job has left in `$ECR_OUT`.
package enum OutputStanding: Sendable {
    case there
    /// The job itself has removed the folder.
    case nothing
    /// The job's folder is not there: its spool was lost or removed.
    case gone
}

extension Target {
    /// Launches a job at most once: the claim on the target decides, so that a launch may be repeated after a break.
    package func launch(_ request: JobRequest) async throws(SSHError) -> LaunchResult {
        let text = request.call("ecr_launch", tools: facts.tools)
        switch try await dispatcher.run(text).text.split(separator: "\n").last {
        case "launched": return .launched
        case "claimed": return .claimedBefore
        case "nospool": return .spoolLost
        case "nospace": return .noSpace
        default: throw SSHError(.protocolViolation, "the target's shell did not understand the launch")
        }
    }

    /// Makes the folder of the job that will probably come next, while nobody waits for it.
    package func prepareFolder(following job: String, in spool: String) async throws(SSHError) {
        let next = shellWord("\(spool)/\(SpoolFolder.following(job))")
        _ = try await dispatcher.run("[ -d \(next) ] || mkdir \(next) \(next)/out")
    }

    /// Tells the jobs of a spool that the controller is there.
    package func signContact(in spool: String) async throws(SSHError) {
        _ = try await dispatcher.run("ecr_up; echo \"$ecr_u\" >\(shellWord("\(spool)/contact"))")
    }

    /// What the target knows of a job now.
    package func standing(of job: String, in spool: String) async throws(SSHError) -> JobStanding {
        let reply = try await dispatcher.run("ecr_status \(shellWord(spool)) \(SpoolFolder.name(of: job))")
        return JobStanding(reply: reply.text, boot: facts.boot)
    }

    /// Marks a job as cancelled and sends a signal to its process group. The wrapper buries the group and writes the
    /// exit record; false when there was nothing left to signal.
    @discardableResult
    package func cancel(job: String, in spool: String, signal: String = "TERM") async throws(SSHError) -> Bool {
        let reply = try await dispatcher.run("ecr_cancel \(shellWord(spool)) \(SpoolFolder.name(of: job)) \(signal)")
        return reply.text.hasPrefix("sent")
    }

    /// What became of a job's `$ECR_OUT` since its commands ended.
    package func outputStanding(of job: String, in spool: String) async throws(SSHError) -> OutputStanding {
        let folder = shellWord("\(spool)/\(SpoolFolder.name(of: job))")
        let reply = try await dispatcher.run(
            "if [ ! -d \(folder) ]; then echo gone; elif [ ! -e \(folder)/out ]; then echo nothing; else echo there; fi"
        )
        switch reply.text.split(separator: "\n").last {
        case "gone": return .gone
        case "nothing": return .nothing
        default: return .there
        }
    }

    /// The lines that the runner of several commands wrote.
    package func commandLines(of job: String, in spool: String) async throws(SSHError) -> [String] {
        let path = shellWord("\(spool)/\(SpoolFolder.name(of: job))/commands")
        let reply = try await dispatcher.run("while read -r l; do echo \"$l\"; done <\(path)")
        return reply.text.split(separator: "\n").map(String.init)
    }

    /// Seconds since 1970 by the target's clock at which a job was claimed.
    package func claimTime(of job: String, in spool: String) async throws(SSHError) -> UInt32? {
        let claim = "\(spool)/\(SpoolFolder.name(of: job))/claim"
        if let sftp { return try await sftp.stat(Array(claim.utf8)).modificationTime }
        let word = shellWord(claim)
        let reply = try await dispatcher.run("stat -c %Y \(word) || date -r \(word) +%s").text
        return UInt32(reply.prefix { !$0.isNewline })
    }
}
