import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Delete old runs; asks first.",
        discussion: """
            Only runs that are over are counted and deleted, the oldest first; runs that are created, live, interrupted or \
            damaged stay, and so do those with something on their target which `ecr run drain` would fetch. With \
            --exported only those to which nothing was added since their last export.

            Example:
              ecr run prune --keep 20 --dry-run
              ecr run prune --keep 5 --exported --yes
            """)

    @Option(help: ArgumentHelp("How many of the newest to keep.", valueName: "number")) var keep: Int
    @Flag(help: "Only runs that have been exported as they are now.") var exported = false
    @Flag(help: "Show what would be deleted, and delete nothing.") var dryRun = false
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if keep < 0 { throw ValidationError("--keep wants a number of runs from 0 on") }
    }

    func run() throws {
        let runs = try common.runs
        let over = runs.runs().compactMap { run -> (run: RunDirectory, state: RunState)? in
            guard !run.hasSupervisor(), let state = try? run.state(), state.isOver else { return nil }
            return (run, state)
        }
        let meant = over.dropLast(keep).filter { !exported || $0.state.isExported }
        let old = meant.filter { !$0.state.mayBeDrained }
        for (run, _) in meant.filter(\.state.mayBeDrained) {
            Terminal.warn("run \(run.id) stays: its target may have more of it; ecr run drain \(run.id)")
        }
        let deletion = Deletion(
            old.map { ($0.run, $0.state.status.rawValue) }, in: runs, isMeasured: dryRun || !yes || output.json)
        if deletion.entries.isEmpty {
            if output.json { Terminal.result(deletion.json) }
            Terminal.say("nothing to delete; runs in \(runs.path) that are over: \(over.count)")
        } else if dryRun {
            if output.json { Terminal.result(deletion.json) } else { Terminal.result(deletion.table) }
            Terminal.say("would delete \(deletion.amount)")
        } else {
            if !yes {
                Terminal.say(deletion.table)
                try common.confirm("delete \(deletion.amount)?", unless: "--yes")
            }
            try deletion.perform(asJSON: output.json)
        }
    }
}
