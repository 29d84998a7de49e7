import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunDrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Fetch what a run that is over has left on its target.",
        discussion: """
            For runs that were ended by `ecr run complete --without-target`: connects, stops what still samples, waits for \
            what still runs, fetches the output, compares both ends, and removes the target's copy. Also for aborted runs, \
            whose jobs then end as the target tells, and for runs of which not all of $ECR_OUT has come; max_bytes and \
            max_files of the profile do not hold for that. The run's state stays as it is.

            Example:
              ecr run drain
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Flag(help: "Cancel actions that still run.") var cancelRunning = false
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange(name)
        try run.require(["completed", "aborted"], to: "drain it")
        if run.isLive { throw ECRFailure(.busy, "run \(run.id) is being drained", hint: "ecr run show \(run.id)") }
        if run.state.ledger?["complete"]?.bool == true {
            if output.json { Terminal.result(["ledger": run.state.ledger.map { .object($0) }, "missing": .array([])]) }
            return Terminal.say("run \(run.id) is complete: 100 %; there is nothing to fetch")
        }
        if run.condition == "aborted" && !run.state.mayBeDrained {
            if output.json { Terminal.result(["missing": .array([])]) }
            return Terminal.say(
                "run \(run.id) is aborted and has left nothing on its target; there is nothing to fetch")
        }
        let result = try fetch(run)
        run.waitForSupervisorsEnd()
        if output.json { Terminal.result(result) }
        let isWhole = result["missing"]?.array?.isEmpty == true
        try LedgerReport(result, run).show(
            isWhole ? "run \(run.id) is drained" : "run \(run.id): what could be fetched from its target is here")
    }

    private func fetch(_ run: ChosenRun) throws -> JSON {
        let interrupt = try InterruptSignal()
        let launcher = RunLauncher(run.directory, interrupt: interrupt, answer: options.common.answerer(interrupt))
        var line = WaitingLine("draining")
        do throws(RunLauncher.Failure) {
            let result = try launcher.spawn(cancelRunning ? .drainAtOnce : .drain, onTick: { line.draw() }) { message in
                if case .progress(let text) = message { Terminal.say(text) }
                line.take(message)
            }
            Terminal.clearStatus()
            return result
        } catch { throw error.failure }
    }
}
