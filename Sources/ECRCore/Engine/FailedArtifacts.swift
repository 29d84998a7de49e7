import JSON
import RunStore

/// Artifacts of a run that are missing at its end, as it names them: the first ones, and how many more there are.
struct FailedArtifacts {
    private let count: Int64
    private let first: [JSON]

    /// Origin: what fits on a screen beside the rest of the summary.
    private static let shown = 5

    init(_ state: RunState) {
        count = state.missingArtifacts.count
        first = Array(state.missingArtifacts.first.prefix(Self.shown))
    }

    /// A line for each of them; those of which the target has the only copy are holes.
    var remarks: [String] {
        let rest = count - Int64(first.count)
        let lines = first.filter { $0["only_copy"] == nil }.map(Self.line)
        if rest <= 0 { return lines }
        let more = first.isEmpty ? "" : " more"
        let what = rest == 1 ? "1\(more) artifact was" : "\(rest)\(more) artifacts were"
        return lines + ["\(what) not pulled: ecr run events --type artifact_pull_failed"]
    }

    private static func line(_ failure: JSON) -> String {
        let name = RawName.text("remote", of: failure)
        let job = failure["job"]?.string.map { " of \($0)" } ?? ""
        let required = failure["required"]?.bool == true ? " (required)" : ""
        return "artifact \(name)\(job)\(required) was not pulled: \(failure["reason"]?.string ?? "?")"
    }

    /// nil where all has come.
    var json: JSON? {
        if count == 0 { return nil }
        return [
            "count": .int(count),
            "first": .array(
                first.map { failure in
                    [
                        "job": failure["job"], "remote": failure["remote"], "remote_base64": failure["remote_base64"],
                        "reason": failure["reason"], "required": failure["required"],
                    ]
                }),
        ]
    }
}
