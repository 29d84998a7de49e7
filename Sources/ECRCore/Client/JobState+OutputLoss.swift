import JSON
import RunStore

extension JobState {
    /// Of a job that has ended on the target while its files were still to come: that an abort has left them there, as the
    /// data of `artifact_pull_failed`. nil for all others.
    var abandonedFiles: JSONObject? {
        guard outcome == .running, haveCommandsEnded, kind != .collector, !isAttached else { return nil }
        return outputLoss(Self.abortReason, isOnlyCopy: true)
    }

    /// That its `$ECR_OUT` has not come, as the data of `artifact_pull_failed`.
    func outputLoss(_ reason: String, isOnlyCopy: Bool) -> JSONObject {
        [
            "target": .string(RunEngine.targetName), "job": .string(id), "action": .string(name),
            "attempt": JSON(attempt), "remote": .string(Self.outputName), "reason": .string(reason),
            "required": false, "only_copy": .bool(isOnlyCopy),
        ]
    }
}
