import EventLog
package import JSON

/// The state as `manifest.json`, and back.
extension RunState {
    package func json(id: String) -> JSON {
        var object = summary(id: id)
        for (key, list) in lists { object[key] = .array(Array(list)) }
        return .object(object)
    }

    /// The text of `manifest.json` in pieces: what grows with the length of the run has a line for each of its members.
    package func writeManifest<E: Error>(id: String, _ write: ([UInt8]) throws(E) -> Void) throws(E) {
        var text = Array(JSON.object(summary(id: id)).prettyText.utf8.dropLast(2))
        for (key, list) in lists {
            text += ",\n  \"\(key)\": [".utf8
            for (place, line) in list.lines.enumerated() {
                text += (place == 0 ? "\n    " : ",\n    ").utf8
                text += line
                if text.count >= Self.pieceSize {
                    try write(text)
                    text.removeAll(keepingCapacity: true)
                }
            }
            text += (list.isEmpty ? "]" : "\n  ]").utf8
        }
        try write(text + "\n}\n".utf8)
    }

    /// Bytes. Origin: few calls, and little memory.
    private static let pieceSize = 64 << 10

    private var lists: [(key: String, list: JSONList)] { [("artifacts", artifacts), ("uploads", uploads)] }

    /// All but the lists.
    private func summary(id: String) -> JSONObject {
        [
            "format": 1, "id": .string(id), "short_id": .string(shortID), "uuid": .string(uuid), "name": .string(name),
            "state": .string(status.rawValue), "profile": .string(profile), "profile_file": .string(profileFile),
            "tags": JSON(strings: tags), "author": author.map { .string($0) }, "licence": licence.map { .string($0) },
            "notify": notify.map { .object($0) }, "parameters": .object(parameters), "created": .string(created),
            "started": started.map { .string($0) }, "ended": ended.map { .string($0) },
            "end_reason": endReason.map { .string($0) }, "pause_reason": pauseReason.map { .string($0) },
            "paused_collectors": pausedCollectors.isEmpty ? nil : JSON(strings: pausedCollectors),
            "interruption_recorded": .bool(isInterruptionRecorded),
            "connection": .object(connection),
            "connected": .bool(isConnected), "clocks": clocksJSON, "collectors": collectors.json,
            "facts": .object(facts), "baselines": baselines.json,
            "spool": spool.map { .string($0) },
            "stages": .array(stages.map(\.json)),
            "jobs": .array(jobs.map(\.json)), "metrics": actionMetricsJSON, "notes": .int(notes),
            "recent_notes": .array(recentNotes.map(\.json)), "edits": .int(edits), "invalid_times": invalidTimes.json,
            "exported": .bool(isExported), "failed_pulls": .int(failedPulls),
            "first_failed_pulls": .array(missingArtifacts.first), "missing_artifacts": missingArtifacts.json,
            "failed_uploads": .int(failedUploads),
            "gaps": .array(gaps), "reboots": .array(reboots), "rules": rules.json, "latest_samples": latest.json,
            "ledger": ledger.map { .object($0) }, "last_event": .string(lastTime),
            "head_hash": .string(checkpoint.hash), "checkpoint": checkpoint.json,
        ]
    }

    /// - Returns: nil for anything that this version did not write, damage in a line of a list included: the events are
    ///   folded from the start then.
    init?(manifest: [UInt8]) {
        guard let (json, lists) = try? JSON.parse(manifest, lists: ["artifacts", "uploads"]),
            json["artifacts"] == nil, json["uploads"] == nil
        else { return nil }
        self.init(json: json)
        artifacts = lists["artifacts"] ?? artifacts
        uploads = lists["uploads"] ?? uploads
    }

    /// - Parameter json: a manifest without its lists.
    init?(json: JSON) {
        guard json["format"]?.int == 1, let checkpoint = Checkpoint(json: json["checkpoint"]),
            let status = Status(rawValue: json["state"]?.string ?? ""), let jobs = json["jobs"]?.array,
            let recentNotes = json["recent_notes"]?.array,
            let missingArtifacts = MissingArtifacts(json: json["missing_artifacts"])
        else { return nil }
        self.init()
        self.checkpoint = checkpoint
        self.status = status
        shortID = json["short_id"]?.string ?? ""
        uuid = json["uuid"]?.string ?? ""
        name = json["name"]?.string ?? ""
        profile = json["profile"]?.string ?? ""
        profileFile = json["profile_file"]?.string ?? ""
        tags = json["tags"]?.array?.compactMap(\.string) ?? []
        author = json["author"]?.string
        licence = json["licence"]?.string
        notify = json["notify"]?.object
        parameters = json["parameters"]?.object ?? [:]
        created = json["created"]?.string ?? ""
        started = json["started"]?.string
        ended = json["ended"]?.string
        endReason = json["end_reason"]?.string
        pauseReason = json["pause_reason"]?.string
        pausedCollectors = json["paused_collectors"]?.array?.compactMap(\.string) ?? []
        stages = json["stages"]?.array?.compactMap { StageState(json: $0) } ?? []
        isInterruptionRecorded = json["interruption_recorded"]?.bool ?? false
        connection = json["connection"]?.object ?? [:]
        isConnected = json["connected"]?.bool ?? false
        restore(clocks: json["clocks"])
        collectors = CollectorsState(json: json["collectors"])
        facts = json["facts"]?.object ?? [:]
        baselines = TargetBaselines(json: json["baselines"])
        spool = json["spool"]?.string
        notes = json["notes"]?.int ?? 0
        invalidTimes = InvalidTimes(json: json["invalid_times"])
        isExported = json["exported"]?.bool ?? false
        failedPulls = json["failed_pulls"]?.int ?? 0
        self.missingArtifacts = missingArtifacts
        failedUploads = json["failed_uploads"]?.int ?? 0
        gaps = json["gaps"]?.array ?? []
        reboots = json["reboots"]?.array ?? []
        rules = RulesState(json: json["rules"])
        restore(latest: json["latest_samples"])
        ledger = json["ledger"]?.object
        lastTime = json["last_event"]?.string ?? ""
        restore(
            jobs: jobs.compactMap { JobState(json: $0) }, notes: recentNotes.compactMap { NoteState(json: $0) },
            edits: json["edits"]?.int ?? 0)
    }
}
