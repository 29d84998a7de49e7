import ArgumentParser
import ECRCore

struct RunResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Take an interrupted run up again.",
        discussion: """
            Jobs that went on meanwhile are picked up where their record ends; nothing is started a second time.

            Example:
              ecr run resume
              ecr run follow
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["interrupted"], to: "resume it")
        let launcher = RunLauncher(run.directory, interrupt: try InterruptSignal())
        do {
            let ready = try launcher.spawn(resume: true) { if case .progress(let text) = $0 { Terminal.say(text) } }
            StartReport(run: run.id, ready: ready).show(asJSON: output.json)
        } catch { throw error.failure }
    }
}
