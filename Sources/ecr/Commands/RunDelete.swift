import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import RunStore

struct RunDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete runs with all that is in them; asks first.",
        discussion: """
            The runs are always named, never taken from $ECR_RUN or the current run. A live run is refused, and an \
            interrupted one unless --force: its jobs and its spool may still be on the target. So is one that has something on \
            its target which `ecr run drain` would fetch: nobody would know of it afterwards.

            Example:
              ecr run delete latest~1
              ecr run delete --yes 2026-01-27_143052_bench
            """)

    @Argument(help: ArgumentHelp("The runs: ids, prefixes, short ids, latest or latest~N.", valueName: "run"))
    var name: [String]
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Also delete interrupted and damaged runs, and those with something left on the target.")
    var force = false
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let runs = try common.runs
        var chosen: [(run: RunDirectory, condition: String)] = []
        for reference in name {
            let found = try RunFinder(runs).find(reference)
            if chosen.contains(where: { $0.run == found }) { continue }
            chosen.append((found, try deletable(found)))
        }
        let deletion = Deletion(chosen, in: runs, isMeasured: !yes || output.json)
        if !yes {
            Terminal.say(deletion.table)
            try common.confirm("delete \(deletion.amount)?", unless: "--yes")
        }
        try deletion.perform(asJSON: output.json)
    }

    /// How the run stands, or why it is refused.
    private func deletable(_ run: RunDirectory) throws(ECRFailure) -> String {
        let option = "--run \(run.id)"
        guard !run.hasSupervisor() else {
            throw ECRFailure(
                .usage, "run \(run.id) is live", hint: "ecr run complete \(option), or ecr run abort \(option)")
        }
        guard let state = try? run.state() else {
            guard force else { throw ECRFailure(.usage, "run \(run.id) is damaged", hint: "delete it with --force") }
            return "damaged"
        }
        let condition = RunCondition.word(state, hasSupervisor: false)
        guard condition != "interrupted" || force else {
            let host = StartReport.address(.object(state.connection))
            throw ECRFailure(
                .usage,
                "run \(run.id) is interrupted: its jobs may still run on \(host), and their spool is in "
                    + (state.spool ?? "an unknown place"),
                hint: "ecr run resume \(option), or ecr run abort \(option), or delete it with --force")
        }
        guard !state.mayBeDrained || force else { throw keeping(run, state) }
        return condition
    }

    /// With the run goes all that is known of what only the target has.
    private func keeping(_ run: RunDirectory, _ state: RunState) -> ECRFailure {
        let copy = TargetCopy(state, run)
        let whole = "it was completed without its target, which has the rest in \(state.spool ?? "an unknown place")"
        let what = copy.sentences.isEmpty ? whole : copy.sentences.joined(separator: "; ")
        return ECRFailure(
            .usage, "run \(run.id) is not all here: \(what)",
            hint: "ecr run drain \(run.id), or delete it with --force")
    }
}
