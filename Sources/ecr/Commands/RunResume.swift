import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Take a paused or interrupted run up again.",
        discussion: """
            Ends a pause. Of an interrupted run, jobs that went on meanwhile are picked up where their record ends; \
            nothing is started a second time.

            Example:
              ecr run resume
              ecr run follow
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "interrupted"], to: "resume it")
        if run.isLive { try endPause(run) } else { try takeUp(run) }
    }

    private func endPause(_ run: ChosenRun) throws {
        let result = try run.request(["request": "resume"])
        if output.json { Terminal.result(result) }
        Terminal.say("run \(run.id) goes on")
        let waiting = (result["waiting"]?.array ?? []).compactMap(\.string)
        if !waiting.isEmpty { Terminal.say("waiting: \(waiting.joined(separator: ", "))") }
    }

    private func takeUp(_ run: ChosenRun) throws {
        let interrupt = try InterruptSignal()
        let launcher = RunLauncher(
            run.directory, interrupt: interrupt, answer: options.common.answerer(interrupt))
        do {
            let ready = try launcher.spawn(.resume) { if case .progress(let text) = $0 { Terminal.say(text) } }
            StartReport(run: run.id, ready: ready).show(asJSON: output.json)
        } catch { throw error.failure }
        if try run.directory.state().status == .paused { Terminal.say("the run is paused\nnext: ecr run resume") }
    }
}
