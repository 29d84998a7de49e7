import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunMetrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Show the metrics of a run, or take them again.",
        discussion: """
            `ecr run metrics` alone is `ecr run metrics show`.

            Example:
              ecr run metrics
              ecr run metrics recompute --profile mended.yaml
            """, subcommands: [RunMetricsShow.self, RunMetricsRecompute.self], defaultSubcommand: RunMetricsShow.self)
}

struct RunMetricsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the metrics of actions, and what collectors saw while they ran.",
        discussion: """
            Of each job its metrics, and for the time in which it ran what its collectors' fields came to; of a power in W or \
            mW also the energy, for each of the things that the metric `count` counts as well. Of each action its metrics \
            over its jobs: one number a job, the mean of its series; jobs that have not completed, or are marked invalid, are \
            left out. p95 and the like are interpolated between neighbours.

            --csv: every value of every metric, a row each.

            Example:
              ecr run metrics
              ecr run metrics latest --csv >metrics.csv
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Flag(help: "Print every value as CSV.") var csv = false
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if csv && output.json { throw ValidationError("give either --csv or --json") }
    }

    func run() throws {
        let run = try options.chosen(name, isChecked: true)
        do {
            if csv { return try MetricValues(run.directory, run.state).printTable() }
            let report = MetricReport(run)
            if output.json { return Terminal.result(try report.json(MetricValues(run.directory, run.state))) }
            if report.isEmpty {
                return Terminal.say(
                    "run \(run.id) has no metrics; `metrics:` of an action, and `parse:` of a collector, give some")
            }
            Terminal.result(report.text)
        } catch { throw ECRFailure(error, in: run.directory) }
    }
}

struct RunMetricsRecompute: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recompute", abstract: "Take the metrics again from the stored files, by a mended pattern.",
        discussion: """
            Nothing is asked of the target, and nothing is removed: what is found is recorded as new events, and the last \
            derivation counts. How an action has ended stays as it is. Without --profile the run's own profile is used. A \
            file that was never fetched cannot be looked into.

            Example:
              ecr run metrics recompute
              ecr run metrics recompute latest --profile mended.yaml
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Option(help: ArgumentHelp("The profile whose `metrics:` are used: a path, or a name.", valueName: "profile"))
    var profile: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try name == nil ? options.chosenForChange() : options.chosen(name)
        let file = try profile.map { (name) throws(ECRFailure) in try ProfileFile(name, directory: nil) }
        let result = try recompute(run, file)
        if output.json { Terminal.result(result) }
        let jobs = result["jobs"]?.array ?? []
        for job in jobs {
            for warning in job["warnings"]?.array ?? [] {
                Terminal.warn("\(job["job"]?.string ?? "?"): \(warning.string ?? "")")
            }
        }
        let metrics = jobs.reduce(0) { $0 + ($1["metrics"]?.int ?? 0) }
        let source = result["profile"]?.string.map { "by \($0)" } ?? "by the run's own profile"
        Terminal.say(
            "\(Amount.count(metrics, "metric")) of \(Amount.count(Int64(jobs.count), "job")) taken \(source): derivation "
                + "\(result["derivation"]?.int ?? 0)\nnext: ecr run metrics \(run.id)")
    }

    private func recompute(_ run: ChosenRun, _ file: ProfileFile?) throws -> JSON {
        guard run.isLive else { return try OfflineRun(run.directory).recomputeMetrics(file) }
        return try run.requestPatiently(
            ["request": "metrics_recompute", "profile": file.map { .string($0.path) }], "metrics")
    }
}
