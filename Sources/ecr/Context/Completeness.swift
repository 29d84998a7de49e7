import JSON

/// How whole a run's record is, in a few words: of output and samples the share, of files whose they are.
struct Completeness {
    /// Whether the target could be asked.
    let isCompared: Bool
    let text: String

    /// - Parameter ledger: as it is recorded.
    init(_ ledger: JSON?) {
        let percent = ledger?["complete_percent"].flatMap { $0 == .null ? nil : "\($0.text) %" }
        isCompared = ledger?["compared"]?.bool ?? (percent != nil)
        guard isCompared else {
            text = "not known"
            return
        }
        guard ledger?["complete"]?.bool != true else {
            text = percent ?? "100 %"
            return
        }
        let jobs = Int64(ledger?["unfetched"]?.array?.count ?? 0)
        let isOnlyThat = Int64(ledger?["missing"]?.array?.count ?? 0) == jobs
        let share =
            percent.map { "\($0) of output and samples" }
            ?? (isOnlyThat ? "no, though all output and samples are here" : "no")
        text = share + (jobs == 0 ? "" : "; not all files of \(Amount.count(jobs, "job")) have come")
    }
}
