import ECRCore
import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// The run that a command acts on, as it stands when the command begins.
final class ChosenRun {
    let directory: RunDirectory
    /// Folding the events costs milliseconds, which a command that only asks a live supervisor does not pay.
    private(set) lazy var state: RunState = (try? directory.state()) ?? RunState()
    /// created, running, paused, interrupted, completed or aborted.
    private(set) lazy var condition = RunCondition.word(state, hasSupervisor: isLive)
    let isLive: Bool
    /// What a suggested command must say to mean this run.
    let reference: String
    private let options: CommonOptions

    /// - Parameters:
    ///   - isAsked: the supervisor of a live run is asked, so the events need not be read.
    ///   - isChecked: of a run at rest the whole stream is looked at, not only what the manifest does not know.
    init(
        _ directory: RunDirectory, isDefault: Bool, isAsked: Bool, isChecked: Bool = false, _ options: CommonOptions
    ) throws(ECRFailure) {
        self.directory = directory
        self.options = options
        reference = isDefault ? "" : " --run \(directory.id)"
        // Asked first: a run that ends in between is then seen as over, not as interrupted.
        isLive = directory.hasSupervisor()
        options.explain("run \(directory.path), \(isLive ? "with" : "without") a supervisor")
        if isLive && isAsked { return }
        do { state = isChecked && !isLive ? try directory.checkedState() : try directory.state() } catch {
            throw ECRFailure(error, in: directory)
        }
    }

    var id: String { directory.id }

    /// Refuses an illegal step with the state and the command that would work.
    /// - Parameter purpose: completes "cannot …".
    func require(_ conditions: [String], to purpose: String) throws(ECRFailure) {
        // A live run is running or paused; which of the two, and whether it is ending, its supervisor knows best.
        if isLive && conditions.contains("running") { return }
        guard !conditions.contains(condition) else { return }
        throw ECRFailure(.usage, "run \(id) is \(condition), so ecr cannot \(purpose)", hint: wayOut)
    }

    private var wayOut: String {
        switch condition {
        case "created": "ecr run start\(reference)"
        case "interrupted": "ecr run resume\(reference)"
        case "completed" where state.mayBeDrained, "aborted" where state.mayBeDrained:
            "ecr run drain\(reference.replacingOption())"
        case "completed", "aborted": "ecr run export\(reference.replacingOption()), or ecr run start PROFILE"
        default: "ecr run status\(reference)"
        }
    }

    /// Answers questions at the terminal; nil where nobody can.
    func answerer(_ interrupt: InterruptSignal?) -> Answerer? { options.answerer(interrupt) }

    /// Asks the run's supervisor.
    func request(
        _ json: JSON, interrupt: InterruptSignal? = nil, onInterrupt: ((ExitCode) -> Void)? = nil,
        onTick: (() -> Void)? = nil, onMessage: (ControlClient.Message) -> Void = { _ in }
    ) throws -> JSON {
        let client = ControlClient(
            directory, interrupt: interrupt, answer: options.answerer(interrupt),
            trace: { [options] line in options.explain(line) })
        return try client.request(json, onInterrupt: onInterrupt, onTick: onTick, onMessage: onMessage)
    }

    /// Asks the run's supervisor for something that may take long, and shows how it goes meanwhile.
    /// - Parameters:
    ///   - subject: what is waited for.
    ///   - interrupt: ends the waiting; nil leaves the signals to their defaults.
    func requestPatiently(_ json: JSON, _ subject: String, _ interrupt: InterruptSignal? = nil) throws -> JSON {
        var line = WaitingLine(subject)
        defer { Terminal.clearStatus() }
        return try request(json, interrupt: interrupt, onTick: { line.draw() }) { message in
            if case .progress(let text) = message { Terminal.say(text) }
            line.take(message)
        }
    }

    /// The same for the run's end, which goes on where a signal ends the waiting.
    func requestEnd(_ json: JSON, _ subject: String) throws -> JSON {
        let interrupt = try InterruptSignal()
        do { return try requestPatiently(json, subject, interrupt) } catch let interrupted as ControlClient.Interrupted
        {
            EndInterruption(run: self, interrupt: interrupt).tell()
            throw interrupted
        }
    }

    /// Appends what an operator has to say: by the run's supervisor, or where none lives by taking the right to append.
    /// - Parameter attachments: files that get their places with it.
    /// - Returns: the event's seq.
    func record(
        _ type: EventType, _ data: JSONObject, _ attachments: [Attachment] = []
    ) throws -> Int64 {
        if isLive {
            let request: JSON = [
                "request": "record", "type": .string(type.rawValue), "data": .object(data),
                "attachments": attachments.isEmpty ? nil : .array(attachments.map(\.json)),
            ]
            do {
                return try self.request(request)["seq"]?.int ?? 0
            } catch let failure as ECRFailure {
                // It may have ended since; then nothing was asked, and the record is ours to write.
                guard failure.exitCode == ExitCode.busy.rawValue, !directory.hasSupervisor() else { throw failure }
            }
        }
        return try OfflineRun(directory).record(type, data, attachments).seq
    }

    /// Waits until the supervisor of a run that is over has gone, so that the next command of a script neither counts
    /// the run as live nor asks somebody who no longer answers.
    ///
    /// Origin: it goes about 50 ms after its answer; two seconds bear a loaded machine, and no more is at stake.
    func waitForSupervisorsEnd() {
        for _ in 0..<500 where directory.hasSupervisor() { usleep(4000) }
    }
}

extension RunOptions {
    /// The run to look at.
    /// - Parameters:
    ///   - argument: the run that the command line names beside the options, if any.
    ///   - isChecked: damage anywhere in the events of a run at rest is an error. It costs a second a gigabyte.
    func chosen(_ argument: String? = nil, isChecked: Bool = false) throws(ECRFailure) -> ChosenRun {
        try ChosenRun(
            try directory(argument), isDefault: named(argument) == nil, isAsked: false, isChecked: isChecked, common)
    }

    /// Where the run to look at is; its events are not read.
    func directory(_ argument: String? = nil) throws(ECRFailure) -> RunDirectory {
        let runs = try common.runs
        if let reference = named(argument) { return try RunFinder(runs).find(reference) }
        if let current = runs.current() { return current }
        let hint = runs.runs().isEmpty ? "ecr run start PROFILE" : "ecr run list, then ecr run use RUN"
        throw ECRFailure(.notFound, "there is no current run in \(runs.path)", hint: hint)
    }

    /// The run to change: with several live runs it must be named.
    /// - Parameter argument: as of `chosen`.
    func chosenForChange(_ argument: String? = nil) throws(ECRFailure) -> ChosenRun {
        let isDefault = named(argument) == nil
        if isDefault { try refuseAmbiguity() }
        return try ChosenRun(try directory(argument), isDefault: isDefault, isAsked: true, common)
    }

    private func named(_ argument: String? = nil) -> String? { argument ?? run ?? Host.environment("ECR_RUN") }

    private func refuseAmbiguity() throws(ECRFailure) {
        let live = try common.runs.runs().filter { $0.hasSupervisor() }
        guard live.count > 1 else { return }
        let list = live.map { "  \($0.id)" }.joined(separator: "\n")
        throw ECRFailure(
            .usage, "\(live.count) runs are live, so name the one that is meant:\n\(list)",
            hint: "the same command with --run \(live[live.count - 1].id)")
    }
}

extension ECRFailure {
    /// As it is, or where the events are damaged with the command that looks at all of them.
    init(_ error: any Error, in run: RunDirectory) {
        let failure = ECRFailure(error)
        let isDamaged = failure.exitCode == ExitCode.damaged.rawValue
        self = isDamaged ? ECRFailure(.damaged, failure.message, hint: "ecr verify \(run.id)") : failure
    }
}
