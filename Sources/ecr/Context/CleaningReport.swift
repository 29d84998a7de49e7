import ECRCore
import JSON

/// What `target clean` found and did, or would do.
struct CleaningReport {
    let roots: [SpoolCleaning.Root]
    let isDryRun: Bool

    private var doomed: [SpoolCleaning.Verdict] { roots.flatMap(\.spools).filter(\.isDoomed) }

    func show() {
        for root in roots where root.isForeign {
            Terminal.say(
                "\(root.path) is held by \(root.holder ?? "nobody"): what is theirs was not touched; --take-over")
        }
        for root in roots where root.isTakenOver {
            Terminal.say("\(root.path) \(isDryRun ? "would be" : "was") taken over from \(root.holder ?? "nobody")")
        }
        guard roots.contains(where: { !$0.spools.isEmpty }) else {
            if !roots.contains(where: \.isForeign) { Terminal.say("there are no spools on the target") }
            return
        }
        Terminal.result(table)
        if !doomed.isEmpty && isDryRun { Terminal.say("nothing was changed (--dry-run)") }
    }

    var table: String {
        var table = Table(["SPOOL", "SIZE", "RUN", isDryRun ? "WOULD BE" : "IS", "BECAUSE"])
        for verdict in roots.flatMap(\.spools) {
            table.add([
                verdict.path, verdict.bytes.map { Amount.bytes($0) } ?? "?", verdict.run?.id ?? "unknown",
                verdict.isDoomed ? "removed" : "kept", verdict.reason,
            ])
        }
        return table.text()
    }

    var question: String {
        let size = Amount.bytes(doomed.compactMap(\.bytes).reduce(0, +))
        let spools = doomed.isEmpty ? [] : ["remove \(Amount.count(Int64(doomed.count), "spool")), \(size)"]
        let taken = roots.filter(\.isTakenOver).map { "take \($0.path) over from \($0.holder ?? "nobody")" }
        return (taken + spools).joined(separator: " and ") + "?"
    }

    func json(_ reference: TargetReference) -> JSON {
        [
            "target": reference.json, "dry_run": .bool(isDryRun),
            "roots": .array(
                roots.map {
                    [
                        "path": .string($0.path), "holder": $0.holder.map { .string($0) } ?? .null,
                        "foreign": .bool($0.isForeign), "taken_over": .bool($0.isTakenOver),
                    ]
                }),
            "spools": .array(roots.flatMap(\.spools).map(json)),
        ]
    }

    private func json(_ verdict: SpoolCleaning.Verdict) -> JSON {
        let done = isDryRun ? "would_be_removed" : "removed"
        return [
            "spool": .string(verdict.path), "bytes": verdict.bytes.map { .int($0) } ?? .null,
            "run": verdict.run.map { .string($0.id) } ?? .null,
            "state": verdict.run.map { .string($0.condition) } ?? .null,
            "running_jobs": JSON(strings: verdict.runningJobs),
            "action": .string(verdict.isDoomed ? done : "kept"), "reason": .string(verdict.reason),
        ]
    }
}
