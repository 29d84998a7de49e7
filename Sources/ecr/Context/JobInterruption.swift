import ECRCore
import JSON

/// What becomes of a job when the command that waits for it gets Ctrl-C or SIGTERM. A second one leaves at once.
struct JobInterruption {
    let run: ChosenRun
    /// Nil where it has not begun: then it never will.
    let job: String?
    let phase: JobPhase
    let interrupt: InterruptSignal

    /// Does what was chosen, asking where nothing was.
    /// - Throws: `ControlClient.Interrupted` on a second signal, and what goes wrong meanwhile.
    func end(_ options: InterruptOptions, _ code: ExitCode) throws {
        let prompt = run.answerer(interrupt)
        switch try options.choice(on: code, mayAsk: prompt != nil && job != nil) ?? ask(prompt) {
        case .detach: sayThatItGoesOn()
        case .cancel: try cancel()
        case .abort: try run.abort(on: code, interrupt)
        }
    }

    private func ask(_ prompt: Answerer?) throws -> InterruptOptions.Choice {
        let choice = "[c]ancel \(phase == .fetching ? "that, or let them come" : "it, or leave it running") [Enter]?"
        let text = "\(phase.sentence(about: job ?? "the job")). \(choice)"
        let answer: String?
        do { answer = try prompt?(Question(kind: "interrupt", text: text, isEchoed: true)) } catch {
            sayThatItGoesOn()
            throw error
        }
        return answer?.lowercased().hasPrefix("c") == true ? .cancel : .detach
    }

    private func cancel() throws {
        guard let job else { return sayThatItGoesOn() }
        let deed = phase == .fetching ? "giving up the files of" : "cancelling"
        Terminal.say("\(deed) \(job); Ctrl-C again leaves at once")
        let request: JSON = ["request": "cancel", "job": .string(job)]
        JobStream.tell(try run.request(request, interrupt: interrupt))
    }

    private func sayThatItGoesOn() {
        guard let job else { return Terminal.say("nothing was begun: it was withdrawn before its turn came") }
        if phase == .fetching {
            return Terminal.say(
                "job \(job) has ended, and its files go on coming; `ecr run follow \(job)\(run.reference)` shows how, "
                    + "`ecr run cancel \(job)\(run.reference)` gives them up")
        }
        Terminal.say("job \(job) goes on; `ecr run follow \(job)\(run.reference)` shows its output")
    }
}
