import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunStart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Connect to the target and start a run.",
        discussion: """
            With a profile a run is made and started; without one the current run, which `create` has made. Returns when \
            the target is connected and the setup actions have ended; the run then goes on in the background. Only the \
            run's id is printed on stdout. Where no connection is made nothing is left of the run.

            Example:
              ecr run start device.yaml --name cold-start -p size=64
            """)

    @Argument(help: "The profile: a path, or a name. Without it the run that was created is started.")
    var profile: String?
    @OptionGroup var new: NewRunOptions
    @Flag(help: "Use the target although another controller uses it, beside that one.") var share = false
    @Flag(help: "Take the target over from another controller that is gone.") var takeOver = false
    @OptionGroup var onInterrupt: StartInterruptOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if share && takeOver { throw ValidationError("give either --share or --take-over") }
        if profile == nil && new.isGiven {
            throw ValidationError("--name, --tag and -p need a profile: `ecr run start PROFILE …`")
        }
        if profile != nil && options.run != nil {
            throw ValidationError("a profile makes a new run: give either PROFILE or --run")
        }
    }

    func run() throws {
        let runs = try options.common.runs
        let interrupt = try InterruptSignal()
        if let profile {
            let run = try new.make(profile, in: runs)
            try launch(run, isNew: true, interrupt)
        } else {
            let run = try options.chosenForChange()
            try run.require(["created"], to: "start it")
            try launch(run.directory, isNew: false, interrupt)
        }
    }

    private func launch(_ run: RunDirectory, isNew: Bool, _ interrupt: InterruptSignal) throws {
        let runs = try options.common.runs
        do {
            var setup = JobLogs(run, stdout: .stderr)
            let ready = try RunLauncher(
                run, isNew: isNew, interrupt: interrupt, answer: options.common.answerer(interrupt)
            ).spawn(share ? .startShared : takeOver ? .startTakingOver : .start) { setup.show($0) }
            try runs.setCurrent(run)
            StartReport(run: run.id, ready: ready).show(asJSON: output.json)
        } catch let error as RunLauncher.Failure {
            if !error.isKept {
                if isNew && !error.isRemoved { try run.remove() }
            } else {
                try runs.setCurrent(run)
                if !output.json { Terminal.result(run.id) }
            }
            guard let signal = error.interruption else { throw error.failure }
            Terminal.say("")
            let run = try ChosenRun(run, isDefault: true, isAsked: true, options.common)
            try StartInterruption(run: run, interrupt: interrupt).end(onInterrupt, signal)
            throw ControlClient.Interrupted(exitCode: signal)
        }
    }
}

/// What is told of a supervisor that has become ready.
struct StartReport {
    let run: String
    /// target, host_key, facts.
    let ready: JSON

    func show(asJSON: Bool) {
        if let target = ready["target"] { Terminal.say("connected to \(Self.address(target))") }
        if let key = ready["host_key"]?.string { Terminal.say("host key  \(key)") }
        for (name, value) in ready["facts"]?.object?.members ?? [] {
            if let text = Self.plain(value) { Terminal.say("\(name)  \(text)") }
        }
        guard asJSON else {
            Terminal.result(run)
            Terminal.say("next: ecr run action NAME, ecr run status")
            return
        }
        var result: JSONObject = ["run": .string(run)]
        result.merge(ready.object ?? [:])
        Terminal.result(.object(result))
    }

    /// `user@host:port`.
    static func address(_ target: JSON) -> String {
        let user = target["user"]?.string.map { "\($0)@" } ?? ""
        let port = target["port"]?.int.map { ":\($0)" } ?? ""
        return user + (target["host"]?.string ?? "?") + port
    }

    private static func plain(_ value: JSON) -> String? {
        switch value {
        case .null, .array, .object: nil
        case .string(let text): text
        default: value.text
        }
    }
}
