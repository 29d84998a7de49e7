import ECRCore
import EventLog
import JSON
import LinuxSystem
import RunStore

/// The run that a command acts on, as it stands when the command begins.
struct ChosenRun {
    let directory: RunDirectory
    let state: RunState
    /// created, running, paused, interrupted, completed or aborted.
    let condition: String
    let isLive: Bool
    /// What a suggested command must say to mean this run.
    let reference: String
    private let options: CommonOptions

    init(_ directory: RunDirectory, isDefault: Bool, _ options: CommonOptions) throws(ECRFailure) {
        self.directory = directory
        self.options = options
        reference = isDefault ? "" : " --run \(directory.id)"
        // Asked first: a run that ends in between is then seen as over, not as interrupted.
        isLive = directory.hasSupervisor()
        state = try ECRFailure.catching { try directory.state() }
        condition = RunCondition.word(state, hasSupervisor: isLive)
        options.explain("run \(directory.path) is \(condition), \(isLive ? "with" : "without") a supervisor")
    }

    var id: String { directory.id }

    /// Refuses an illegal step with the state and the command that would work.
    /// - Parameter purpose: completes "cannot …".
    func require(_ conditions: [String], to purpose: String) throws(ECRFailure) {
        guard !conditions.contains(condition) else { return }
        throw ECRFailure(.usage, "run \(id) is \(condition), so ecr cannot \(purpose)", hint: wayOut)
    }

    private var wayOut: String {
        switch condition {
        case "created": "ecr run start\(reference)"
        case "interrupted": "ecr run resume\(reference)"
        case "completed", "aborted": "ecr run start PROFILE"
        default: "ecr run status\(reference)"
        }
    }

    /// Asks the run's supervisor.
    func request(
        _ json: JSON, interrupt: InterruptSignal? = nil, onMessage: (ControlClient.Message) -> Void = { _ in }
    ) throws -> JSON {
        let client = ControlClient(directory, interrupt: interrupt, trace: { line in options.explain(line) })
        return try client.request(json, onMessage: onMessage)
    }
}

extension RunOptions {
    /// The run to look at.
    /// - Parameter argument: the run that the command line names beside the options, if any.
    func chosen(_ argument: String? = nil) throws(ECRFailure) -> ChosenRun {
        try ChosenRun(try directory(argument), isDefault: named(argument) == nil, common)
    }

    /// Where the run to look at is; its events are not read.
    func directory(_ argument: String? = nil) throws(ECRFailure) -> RunDirectory {
        let runs = common.runs
        if let reference = named(argument) { return try find(reference) }
        if let current = runs.current() { return current }
        let hint = runs.runs().isEmpty ? "ecr run start PROFILE" : "ecr run list, then ecr run use RUN"
        throw ECRFailure(.notFound, "there is no current run in \(runs.path)", hint: hint)
    }

    /// The run to change: with several live runs it must be named.
    func chosenForChange() throws(ECRFailure) -> ChosenRun {
        if named() == nil { try refuseAmbiguity() }
        return try chosen()
    }

    private func named(_ argument: String? = nil) -> String? { argument ?? run ?? Host.environment("ECR_RUN") }

    private func find(_ reference: String) throws(ECRFailure) -> RunDirectory {
        do { return try common.runs.find(reference) } catch { throw ECRFailure(error) }
    }

    private func refuseAmbiguity() throws(ECRFailure) {
        let live = common.runs.runs().filter { $0.hasSupervisor() }
        guard live.count > 1 else { return }
        let list = live.map { "  \($0.id)" }.joined(separator: "\n")
        throw ECRFailure(
            .usage, "\(live.count) runs are live, so name the one that is meant:\n\(list)",
            hint: "the same command with --run \(live[live.count - 1].id)")
    }
}
