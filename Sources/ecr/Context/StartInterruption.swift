import ECRCore
import JSON

/// What becomes of a run whose setup still runs when the command that has started it gets Ctrl-C or SIGTERM. A second one
/// leaves at once.
struct StartInterruption {
    let run: ChosenRun
    let interrupt: InterruptSignal

    /// Does what was chosen, asking where nothing was.
    /// - Throws: `ControlClient.Interrupted` on a second signal, and what goes wrong meanwhile.
    func end(_ options: StartInterruptOptions, _ code: ExitCode) throws {
        let prompt = run.answerer(interrupt)
        switch try options.choice(on: code, mayAsk: prompt != nil) ?? ask(prompt) {
        case .detach: sayThatItGoesOn()
        case .abort: try run.abort(on: code, interrupt)
        }
    }

    private func ask(_ prompt: Answerer?) throws -> StartInterruptOptions.Choice {
        let text = "the setup of run \(run.id) still runs. [a]bort the run, or leave it running [Enter]?"
        let answer: String?
        do { answer = try prompt?(Question(kind: "interrupt", text: text, isEchoed: true)) } catch {
            sayThatItGoesOn()
            throw error
        }
        return answer?.lowercased().hasPrefix("a") == true ? .abort : .detach
    }

    private func sayThatItGoesOn() {
        Terminal.say(
            "run \(run.id) goes on in the background: its setup still runs\n"
                + "next: ecr run follow\(run.reference), ecr run status\(run.reference)")
    }
}

extension ChosenRun {
    /// Aborts the run because of a signal, and says what is left.
    func abort(on code: ExitCode, _ interrupt: InterruptSignal) throws {
        Terminal.say("aborting run \(id): what runs is cancelled, then `finally:` runs; a second signal leaves at once")
        let reason = code == .terminated ? "SIGTERM" : "Ctrl-C"
        let request: JSON = ["request": "abort", "reason": .string(reason)]
        let result = try self.request(
            request, interrupt: interrupt,
            onMessage: { message in if case .progress(let text) = message { Terminal.say(text) } })
        AbortReport(result, self).show()
    }
}
