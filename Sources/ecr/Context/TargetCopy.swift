import ECRCore
import JSON
import LinuxSystem
import RunStore

/// Where on the target the only copy of something lies, and how to get it, in words.
struct TargetCopy {
    let left: LeftOutputs
    private let state: RunState
    private let run: RunDirectory

    init(_ state: RunState, _ run: RunDirectory) {
        self.state = state
        self.run = run
        left = LeftOutputs(state)
    }

    private var address: String { StartReport.address(.object(state.connection)) }

    /// For each job whose files have not come, and each spool in which an abort has left what nobody has looked for.
    var sentences: [String] {
        left.outputs.map { output in
            "not all of $ECR_OUT of \(output.job) has come (\(output.reason)); \(address) has it in \(output.folder)"
        } + abandoned.map { spool, jobs in "what \(jobs) wrote and was not fetched is in \(spool) on \(address)" }
    }

    private var abandoned: [(spool: String, jobs: String)] {
        let jobs = state.abandonedJobs.filter { $0.unfetched == nil }
        let spools = Dictionary(grouping: jobs) { $0.spool ?? state.spool ?? "an unknown place" }
        return spools.sorted { $0.key < $1.key }.map { ($0, $1.map(\.id).joined(separator: ", ")) }
    }

    /// What fetches it; nil while the run goes on, at whose end that is tried again anyhow.
    var next: String? {
        guard state.mayBeDrained else { return nil }
        let drain = "ecr run drain \(run.id)"
        guard !left.isEmpty else { return "\(drain), as soon as the target can be reached" }
        if left.needRoom {
            let runs = shellWord(FileSystem.parent(of: run.path))
            let byHand = CopyCommand(of: run, state).text(left.outputs[0].folder)
            return "make room (df -h \(runs)), then \(drain); or copy it by hand: \(byHand)"
        }
        let lifted = left.lifted
        return lifted.isEmpty
            ? "\(drain), which tries again to fetch it"
            : "\(drain), which fetches it without \(lifted.joined(separator: " and "))"
    }
}

/// What is missing in a run whose record is intact, for commands that look at what is there: told as warnings.
struct MissingReport {
    private let copy: TargetCopy
    private let state: RunState
    private let run: RunDirectory

    init(_ state: RunState, _ run: RunDirectory) {
        copy = TargetCopy(state, run)
        self.state = state
        self.run = run
    }

    private var holes: [String] { (state.ledger?["missing"]?.array ?? []).compactMap(\.string) }

    /// Holes beside what jobs have left in `$ECR_OUT`.
    private var others: Int64 { Int64(holes.count - (state.ledger?["unfetched"]?.array?.count ?? 0)) }

    /// In one phrase; nil where nothing is missing.
    var phrase: String? {
        let jobs = Int64(copy.left.outputs.count)
        let parts = [
            jobs == 0 ? nil : "not all files of \(Amount.count(jobs, "job")) ever came",
            others <= 0 ? nil : "its ledger has \(Amount.count(others, jobs == 0 ? "hole" : "other hole"))",
        ].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: ", and ")
    }

    /// - Parameter isHere: the run is in the runs directory, where other commands find it.
    func warn(isHere: Bool) {
        for sentence in copy.sentences { Terminal.warn(sentence) }
        if others > 0 {
            let what = others == 1 ? "a hole" : "\(others) holes"
            let more = copy.left.isEmpty ? "" : " beside that"
            Terminal.warn("the ledger has \(what)\(more)\(isHere ? ": ecr run show \(run.id)" : "")")
        }
        if isHere, let next = copy.next { Terminal.say("next: \(next)") }
    }

    /// `missing`: the ledger's holes; `unfetched`: what only the target has.
    var json: JSONObject { ["missing": JSON(strings: holes), "unfetched": copy.left.json] }
}
