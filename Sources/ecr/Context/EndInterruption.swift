import ECRCore
import JSON
import RunStore

/// What becomes of a completion or an abort when the command that waits for it gets Ctrl-C or SIGTERM: it is the
/// supervisor's, and goes on.
struct EndInterruption {
    let run: ChosenRun
    let interrupt: InterruptSignal

    /// Says how the end stands, as the supervisor tells it.
    func tell() {
        let argument = run.reference.replacingOption()
        let status = try? run.request(["request": "status"], interrupt: interrupt)
        if let kind = status?["ending"]?["kind"]?.string {
            let end = kind == "aborting" ? "the abort" : "the completion"
            Terminal.say(
                "\(end) of run \(run.id) goes on; `ecr run status\(run.reference)` shows how it stands, "
                    + "`ecr run events\(argument) --follow` waits for its end, "
                    + "`ecr run show\(argument)` then says what came of it")
        } else if let state = try? run.directory.state(), state.isOver {
            Terminal.say("run \(run.id) is \(state.status.rawValue)\nnext: ecr run show\(argument)")
        } else if status == nil {
            Terminal.say("nobody says whether the end of run \(run.id) goes on\nnext: ecr run status\(run.reference)")
        } else {
            Terminal.say("run \(run.id) is not being ended yet\nnext: ecr run status\(run.reference)")
        }
    }
}
