import ECRCore
import JSON

/// A request that starts or follows a job: its output streams, and its end becomes the exit code.
struct JobStream {
    let run: ChosenRun
    let isJSON: Bool
    let onInterrupt: InterruptOptions

    /// Prints what comes, then the result, and ends the command.
    /// - Parameter job: the job's id, where it is known already.
    func perform(_ request: JSON, job: String? = nil) throws {
        let result = try wait(for: request, job: job)
        if request["detach"]?.bool == true { try showDetached(result) } else { try show(result) }
    }

    /// Shows what comes, and returns the result.
    func wait(for request: JSON, job: String? = nil) throws -> JSON {
        var job = job
        var phase = JobPhase.running
        var logs = JobLogs(run.directory, stdout: isJSON ? .nowhere : .stdout)
        let interrupt = try InterruptSignal()
        var line = WaitingLine(job)
        let result: JSON
        do {
            result = try run.request(request, interrupt: interrupt, onTick: { line.draw() }) { message in
                if let known = message.job { job = known }
                if case .begun = message { phase = .running }
                if case .phase(_, let now) = message { phase = now }
                logs.show(message)
                line.take(message)
            }
        } catch let interrupted as ControlClient.Interrupted {
            Terminal.say("")
            try JobInterruption(run: run, job: job, phase: phase, interrupt: interrupt).end(
                onInterrupt, interrupted.exitCode)
            throw interrupted
        } catch let failure as ECRFailure where failure.exitCode == ExitCode.unknownOutcome.rawValue {
            throw known(failure, job)
        }
        Terminal.clearStatus()
        if logs.isMidLine && Terminal.errorIsTerminal { Terminal.say("") }
        return result
    }

    /// The way out names the job that is meant: the last one on record may be another.
    private func known(_ failure: ECRFailure, _ job: String?) -> ECRFailure {
        // The supervisor that said so knew the job, and better what to do.
        if let job, failure.hint?.hasSuffix(job) == true { return failure }
        guard let job else {
            return ECRFailure(
                .unknownOutcome, failure.message, hint: "ecr run resume, then ecr run status: it may not have begun")
        }
        return ECRFailure(.unknownOutcome, failure.message, hint: "ecr run resume, then ecr run follow \(job)")
    }

    private func showDetached(_ result: JSON) throws {
        let job = result["job"]?.string ?? ""
        if isJSON { Terminal.result(result) } else { Terminal.result(SafeText.line(job)) }
        Terminal.say("job \(job) runs; `ecr run follow \(job)\(run.reference)` shows its output")
    }

    private func show(_ result: JSON) throws {
        Self.tell(result)
        if result["outcome"]?.string == "unknown" {
            Terminal.say("do not repeat it; `ecr run follow \(result["job"]?.string ?? "")\(run.reference)` asks again")
        }
        if isJSON { Terminal.result(result) }
        let code = result["exit_code"]?.int.flatMap { Int32(exactly: $0) } ?? 0
        if code != 0 { throw Exit(code: code) }
    }
}

extension JobStream {
    /// Prints how a job ended, with its warnings.
    static func tell(_ result: JSON) {
        for warning in result["warnings"]?.array ?? [] { Terminal.warn(warning.string ?? "") }
        Terminal.say(JobSentence(result).text)
        if let metrics = MetricSentence(result["metrics"]) { Terminal.say(metrics.text) }
    }
}

/// A job's metrics in one line: `latency 14 ms (mean of 6), count 120`.
struct MetricSentence {
    let text: String

    /// Nil where there are none.
    init?(_ metrics: JSON?) {
        let parts = (metrics?.object?.members ?? []).map { name, value in
            let unit = value["unit"]?.string.map { " \($0)" } ?? ""
            let count = value["count"]?.int ?? 0
            let mean = Measure.text(value["mean"]?.double ?? 0)
            return "\(name) \(mean)\(unit)" + (count > 1 ? " (mean of \(count))" : "")
        }
        if parts.isEmpty { return nil }
        text = parts.joined(separator: ", ")
    }
}

/// One line on how a job ended: `hash completed in 2.31 s (job 0003-hash, 2 artifacts)`.
struct JobSentence {
    let text: String

    /// - Parameter result: the supervisor's result object of a job.
    init(_ result: JSON) {
        let invalid = result["invalid"]?.string.map { "; marked invalid: \($0)" } ?? ""
        text = Self.end(result) + invalid
    }

    private static func end(_ result: JSON) -> String {
        let name = result["name"]?.string ?? "the job"
        let duration = result["duration_s"]?.double.map { Amount.seconds($0) }
        let artifacts = Int64(result["artifacts"]?.array?.count ?? 0)
        var details = ["job \(result["job"]?.string ?? "?")"]
        switch result["outcome"]?.string ?? "unknown" {
        case "completed":
            let time = duration.map { " in \($0)" } ?? ""
            return "\(name) completed\(time) (\(list(&details, artifacts)))"
        case "unknown":
            let reason = result["reason"]?.string.map { ": \($0)" } ?? ""
            return "the outcome of \(name) is unknown\(reason) (\(list(&details, artifacts)))"
        case let outcome:
            let exit = result["exit"]?.int.map { "exit \($0)" }
            // The reason "exit" says no more than the number does.
            let why = result["reason"]?.string.flatMap { words[$0] ?? ($0 == "exit" || $0 == outcome ? nil : $0) }
            let reason = [exit, why].compactMap { $0 }.joined(separator: ", ")
            if let duration { details.append("after \(duration)") }
            return "\(name) \(outcome)\(reason.isEmpty ? "" : ": \(reason)") (\(list(&details, artifacts)))"
        }
    }

    private static let words = [
        "timeout": "timed out", "artifact": "a required artifact is missing",
        "metric": "a required metric was not found",
        "unreachable": "ended by the target, which was alone for too long",
        "upload": "nothing was run: a file could not be uploaded",
        "sudo": "sudo refused to run it",
        "disk": "nothing was run: the target's disk is full",
    ]

    private static func list(_ details: inout [String], _ artifacts: Int64) -> String {
        if artifacts > 0 { details.append(Amount.count(artifacts, "artifact")) }
        return details.joined(separator: ", ")
    }
}

extension ControlClient.Message {
    /// The job that the message is about.
    fileprivate var job: String? {
        switch self {
        case .recorded(let job, _, _), .begun(let job), .phase(let job, _): job
        case .event(let event): event["data"]?["job"]?.string
        case .progress, .holding, .link, .transferring, .transferred, .ended: nil
        }
    }
}
