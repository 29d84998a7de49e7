import ArgumentParser
import ECRCore
import EventLog
import LinuxSystem
import RunStore

struct RunLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show what jobs have written.",
        discussion: """
            Of one job: the bytes as they came, its stderr to stderr; with --stdout or --stderr that stream alone, to \
            stdout. Of a collector: its samples as a table (CSV). With --all: the lines of all jobs in the order of the \
            record, each with its time, job and stream. Nothing is waited for, unless with --follow; `ecr run follow` \
            also exits as the job did.

            Example:
              ecr run log measure --stderr
              ecr run log 0003-measure | grep score
              ecr run log --all --tail 20
            """)

    @Argument(
        help: ArgumentHelp(
            "The job's id, an action's or collector's name for its last job, or `last`.",
            valueName: "job|action|collector"))
    var job: String?
    @Flag(help: "Only what it wrote to stdout.") var stdout = false
    @Flag(help: "Only what it wrote to stderr.") var stderr = false
    @Flag(help: "The lines of all jobs, collectors included.") var all = false
    @Flag(help: "Go on as more comes, until the job has ended, or the run.") var follow = false
    @Option(help: ArgumentHelp("Only the last lines of what is there.", valueName: "lines")) var tail: Int?
    @OptionGroup var options: RunOptions

    func validate() throws {
        if (job == nil) != all { throw ValidationError("give either a job or --all: `ecr run log last`") }
        if stdout && stderr { throw ValidationError("give either --stdout or --stderr; without them both are shown") }
        if all && (stdout || stderr) { throw ValidationError("--stdout and --stderr are for one job") }
        if let tail, tail < 0 { throw ValidationError("--tail wants a number of lines from 0 on") }
    }

    func run() throws {
        let run = try options.chosen()
        guard let job else { return try show(.all, of: run) }
        let found = try run.job(job)
        guard found.kind != .collector else { return try show(collector: found, of: run) }
        let streams = stdout ? ["stdout"] : stderr ? ["stderr"] : ["stdout", "stderr"]
        let sizes = ["stdout": found.stdoutBytes, "stderr": found.stderrBytes]
        let filled = streams.filter { sizes[$0] != 0 }
        if isFollowed(found) || filled.count > 1 {
            return try show(.job(found, streams: streams, isMerged: stdout || stderr), of: run)
        }
        // One stream is read as it lies there, however many events the run has.
        for stream in filled {
            let log = try LogFile(run.directory.actionLog(job: found.id, stream: stream), end: sizes[stream] ?? 0)
            try log.show(tail: tail, isError: stream == "stderr" && !stderr)
        }
    }

    private func show(collector: JobState, of run: ChosenRun) throws {
        let name = collector.name
        guard !stdout && !stderr else {
            throw ECRFailure(
                .usage,
                "collector \(name) has one stream, its samples; the raw bytes are in "
                    + run.directory.collectorLog(name), hint: "ecr run log \(name)\(run.reference)")
        }
        if isFollowed(collector) { return try show(.collector(collector), of: run) }
        guard collector.tableBytes > 0 else { return }
        let table = try LogFile(run.directory.collectorRows(name), end: collector.tableBytes)
        try table.show(tail: tail, isError: false)
    }

    private func isFollowed(_ job: JobState) -> Bool { follow && job.outcome == .running }

    private func show(_ subject: LogOutput.Subject, of run: ChosenRun) throws(ECRFailure) {
        var output = LogOutput(run.directory, subject, tail: tail)
        try output.show(isFollowing: follow)
    }
}
