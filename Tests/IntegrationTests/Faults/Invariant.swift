import EventLog
import Hashing
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What must hold of a run after any fault, at any moment at which nobody writes:
/// - every acknowledged event is there once, `seq` has no gap, the chain holds;
/// - every job has been started at most once, and has at most one end;
/// - the recorded output is the job's own copy, byte for byte, or its beginning while the job has no known end;
/// - every artifact is there once, with the bytes that its event speaks of; no sample is there twice;
/// - the state that readers see is the one that the events tell;
/// - a completed run has a ledger that is whole or names its holes.
struct Invariant {
    let run: RunDirectory
    /// The folder of `FaultBench.witness`.
    let witness: String
    /// The text of each note that was acknowledged, by its `seq`.
    let acknowledged: [Int64: String]

    func check() throws {
        // Numbers, chain, fields, and no torn end: `allEvents` checks them.
        let events = try run.allEvents()
        checkNotes(events)
        try checkJobs(events)
        try checkArtifacts(events)
        checkSamples(events)
        checkLedger(events)
        try checkState()
    }

    private func checkNotes(_ events: [Event]) {
        for (seq, text) in acknowledged {
            let event = events.indices.contains(Int(seq)) ? events[Int(seq)] : nil
            #expect(event?.type == .note && event?.data["text"]?.string == text, "note \(seq) is lost")
        }
        let notes = events.filter { $0.type == .note }.compactMap { $0.data["text"]?.string }
        #expect(Set(notes).count == notes.count, "a note is there twice")
    }

    private func checkJobs(_ events: [Event]) throws {
        let recorded = jobs(of: [.actionStarted], in: events)
        let ended = jobs(of: EventType.actionEnds, in: events)
        let started = (try? FileSystem.read("\(witness)/starts")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let ran = started.split(separator: "\n").map(String.init)
        #expect(Set(recorded).count == recorded.count, "a job has two starts on record")
        #expect(Set(ended).count == ended.count, "a job has two ends on record")
        #expect(Set(ran).count == ran.count, "a job ran twice: \(ran)")
        #expect(Set(ran).isSubset(of: recorded), "a job ran without a start on record")
        #expect(Set(ended).isSubset(of: recorded), "a job ended without a start on record")
        let commands = events.filter { [.commandStarted, .commandCompleted, .commandFailed].contains($0.type) }.map {
            "\($0.type.rawValue) \($0.data["job"]?.text ?? "") \($0.data["index"]?.text ?? "")"
        }
        #expect(Set(commands).count == commands.count, "a command is recorded twice")
        for job in ran { try checkOutput(of: job, isWhole: isEnded(job, events)) }
    }

    private func jobs(of types: Set<EventType>, in events: [Event]) -> [String] {
        events.filter { types.contains($0.type) }.compactMap { $0.data["job"]?.string }
    }

    /// Whether a job has an end that is known: one that nobody saw may have come after any byte.
    private func isEnded(_ job: String, _ events: [Event]) -> Bool {
        events.contains {
            EventType.actionEnds.contains($0.type) && $0.type != .actionUnknown && $0.data["job"]?.string == job
        }
    }

    private func checkOutput(of job: String, isWhole: Bool) throws {
        let copy = try FileSystem.read("\(witness)/copy.\(job)")
        let recorded = try run.output(job)
        if isWhole {
            #expect(recorded == copy, "\(job): \(recorded.count) bytes are recorded, \(copy.count) were written")
        } else {
            // `tee` writes its two files one after the other, so that either may be the longer one.
            let shorter = min(recorded.count, copy.count)
            #expect(recorded.prefix(shorter) == copy.prefix(shorter), "\(job): other bytes were recorded")
        }
    }

    private func checkArtifacts(_ events: [Event]) throws {
        let pulled = events.filter { $0.type == .artifactPulled }
        let paths = pulled.compactMap { $0.data["path"]?.string }
        #expect(Set(paths).count == paths.count, "an artifact was pulled twice: \(paths)")
        for event in pulled {
            let bytes = try FileSystem.read("\(run.path)/\(event.data["path"]?.string ?? "")")
            #expect(event.data["size"]?.int == Int64(bytes.count))
            #expect(event.data["sha256"]?.string == SHA256.hexDigest(of: bytes))
        }
    }

    private func checkSamples(_ events: [Event]) {
        let outputs = events.filter { $0.type == .collectorOutput }
        for (job, outputs) in Dictionary(grouping: outputs, by: { $0.data["job"]?.string ?? "" }) {
            let ticks = outputs.flatMap { $0.data["rows"]?.array ?? [] }.compactMap { $0["tick"]?.int }
            #expect(zip(ticks, ticks.dropFirst()).allSatisfy(<), "\(job): the ticks are \(ticks)")
            var next: Int64 = 0
            for output in outputs {
                #expect(output.data["offset"]?.int == next, "\(job): its samples have a gap")
                next += output.data["length"]?.int ?? 0
            }
        }
    }

    private func checkLedger(_ events: [Event]) {
        guard let completion = events.last(where: { $0.type == .runCompleted }) else { return }
        guard let ledger = events.last(where: { $0.type == .ledger })?.data else {
            Issue.record("a completed run has no ledger")
            return
        }
        let isWhole = ledger["complete"]?.bool
        #expect(isWhole == (ledger["missing"]?.array?.isEmpty == true), "the ledger has holes without a name")
        #expect(isWhole == (ledger["complete_percent"]?.int == 100))
        #expect(completion.data["complete"]?.bool == isWhole)
    }

    private func checkState() throws {
        // A run that is alive may write an event (a clock, a fact) between the two readings.
        for _ in 1...10 {
            var told = RunState()
            try told.catchUp(with: run.events)
            let kept = try run.state()
            guard kept.checkpoint == told.checkpoint else { continue }
            #expect(kept == told, "the manifest is not what the events tell")
            return
        }
        Issue.record("the manifest and the events never came to the same event")
    }
}
