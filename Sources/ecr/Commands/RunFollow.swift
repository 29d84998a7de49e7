import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunFollow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Show the output of a job and wait for its end.",
        discussion: """
            Exits as `ecr run action` would have done. Without a job the last one is followed.

            Example:
              ecr run follow 0003-measure
            """)

    @Argument(help: "The job's id (default: the last one).") var job: String?
    @OptionGroup var onInterrupt: InterruptOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen()
        if run.isLive {
            let request: JSON = ["request": "follow", "job": job.map { .string($0) }]
            try JobStream(run: run, isJSON: output.json, onInterrupt: onInterrupt).perform(request, job: job)
        } else {
            try replay(try wanted(in: run), of: run)
        }
    }

    private func wanted(in run: ChosenRun) throws(ECRFailure) -> JobState {
        if let job {
            let found = try run.job(job)
            guard found.kind == .collector else { return found }
            throw ECRFailure(
                .usage, "\(found.id) is the job of a collector", hint: "ecr run log \(found.name)\(run.reference)")
        }
        let jobs = run.state.jobs.filter { $0.kind != .collector }
        if let last = jobs.last(where: { $0.isAskedFor }) ?? jobs.last { return last }
        throw ECRFailure(
            .usage, "run \(run.id) is \(run.condition) and has no job", hint: "ecr run status\(run.reference)")
    }

    /// The recorded output and end of a job, when nobody works on the run any more.
    private func replay(_ job: JobState, of run: ChosenRun) throws {
        var logs = JobLogs(run.directory, stdout: output.json ? .nowhere : .stdout)
        logs.show(job: job.id, stream: "stdout", upTo: job.stdoutBytes)
        logs.show(job: job.id, stream: "stderr", upTo: job.stderrBytes)
        guard job.outcome != .running else {
            throw ECRFailure(
                .unknownOutcome, "the end of job \(job.id) is not on record, and run \(run.id) is \(run.condition)",
                hint: "ecr run resume\(run.reference)")
        }
        let artifacts = run.state.artifacts.values(with: "job", job.id).compactMap { $0["path"] }
        var result = run.state.json(of: job).object ?? [:]
        result["artifacts"] = .array(artifacts)
        result["exit_code"] = .int(Int64(job.exitCode))
        Terminal.say(JobSentence(.object(result)).text)
        if output.json { Terminal.result(.object(result)) }
        if job.exitCode != 0 { throw Exit(code: job.exitCode) }
    }
}

extension JobState {
    /// What `ecr run action` exits with for such an end (DESIGN.md, section 7).
    fileprivate var exitCode: Int32 {
        switch outcome {
        case .completed, .stopped, .running: 0
        case .failed where reason == "timeout": 124
        case .failed where reason == "disk": 74
        case .failed: 1
        case .cancelled: 130
        case .unknown: 79
        }
    }
}
