import EventLog
import JSON
import Profiles
import RunStore

/// How a stage ended, for the client that asked for it.
struct StageEnd: Sendable {
    let name: String
    /// One for each action that was run.
    let ends: [JobEnd]
    /// Actions that were not begun, because one before them did not complete.
    let notRun: [String]
    let reason: String?

    /// That of the action at which the stage stopped.
    var exitCode: ExitCode { ends.last { $0.outcome != .completed }?.exitCode ?? (reason == nil ? .success : .usage) }

    var json: JSON {
        [
            "stage": .string(name), "outcome": reason == nil ? "completed" : "failed",
            "reason": reason.map { .string($0) }, "actions": .array(ends.map(\.json)),
            "not_run": JSON(strings: notRun), "exit_code": .int(Int64(exitCode.rawValue)),
        ]
    }
}

/// Stages: their actions in order, as one turn, until one does not complete.
extension RunEngine {
    /// - Parameter given: values for the actions of the stage; each must be used by one of them.
    func runStage(
        _ name: String, given: [(String, String)], wait: Bool, whenGone: Departure?, listener: @escaping Listener
    ) async throws -> StageEnd {
        guard let stage = profile.stage(named: name) else { throw unknownStage(name) }
        try refuseSecrets(in: given)
        let plans = try profile.parameters(for: stage, given: given, standing: standingParameters).map {
            plan($0.action, $0.values)
        }
        try requireReady()
        try await requireFiles(of: plans)
        try await takeTurn(for: "stage \(name)", wait: wait, whenGone, listener)
        do { try await passHolds("stage \(name)", whenGone, listener) } catch {
            giveTurn()
            throw error
        }
        let task = Task {
            defer {
                activeStage = nil
                giveTurn()
            }
            return try await perform(stage, plans, listener)
        }
        activeStage = task
        return try await task.value
    }

    private func perform(_ stage: Stage, _ plans: [Plan], _ listener: @escaping Listener) async throws -> StageEnd {
        _ = try await passGate("stage \(stage.name)", listener)
        try await journal.append(
            .stageStarted,
            [
                "target": .string(Self.targetName), "stage": .string(stage.name),
                "actions": JSON(strings: stage.actions),
            ])
        var ends: [JobEnd] = []
        var reason: String?
        for (index, plan) in plans.enumerated() where reason == nil {
            let name = plan.action.name
            listener("", .progress("stage \(stage.name): \(name) (\(index + 1) of \(plans.count))"))
            let end: JobEnd
            do { end = try await perform(plan, .action, stage: stage.name, listener) } catch {
                guard isEnding else { throw error }
                reason = "the run ended"
                break
            }
            ends.append(end)
            listener(end.job, .ended(end))
            if end.outcome != .completed { reason = "\(name) \(end.outcome.rawValue)" }
        }
        let stageEnd = StageEnd(
            name: stage.name, ends: ends, notRun: Array(stage.actions.dropFirst(ends.count)), reason: reason)
        try await record(stageEnd)
        return stageEnd
    }

    private func record(_ end: StageEnd) async throws {
        try await journal.append(
            end.reason == nil ? .stageCompleted : .stageFailed,
            [
                "target": .string(Self.targetName), "stage": .string(end.name),
                "jobs": JSON(strings: end.ends.map(\.job)), "reason": end.reason.map { .string($0) },
                "not_run": end.notRun.isEmpty ? nil : JSON(strings: end.notRun),
            ])
    }

    /// Stages that an earlier supervisor had begun: their running action is taken up again, the rest is not begun.
    func closeInterruptedStages() async throws {
        for stage in journal.state.stages where stage.outcome == .running {
            try await journal.append(
                .stageFailed,
                ["target": .string(Self.targetName), "stage": .string(stage.name), "reason": "the run was interrupted"])
        }
    }

    private func unknownStage(_ name: String) -> ECRFailure {
        let names = profile.stages.map(\.name)
        guard !names.isEmpty else { return ECRFailure(.usage, "no stage '\(name)': the profile has none") }
        return ECRFailure(.usage, "no stage '\(name)'; the profile has: \(names.joined(separator: ", "))")
    }
}
