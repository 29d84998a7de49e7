import ECRCore
import JSON
import RunStore

/// How whole a run's record is, for people: the ledger, the samples of each collector, and the times that lack some.
struct RecordTables {
    private let state: RunState

    init(_ state: RunState) { self.state = state }

    /// Titles and tables; those without content are empty.
    var sections: [(String, Table)] { [("ledger", ledger), ("samples", samples), ("gaps", gaps)] }

    private var ledger: Table {
        var table = Table()
        guard let ledger = state.ledger else { return table }
        let completeness = Completeness(.object(ledger))
        let bytes = Amount.bytes(ledger["totals"]?["bytes"]?.int ?? 0)
        let equal = completeness.isCompared ? "; \(bytes) of output equal on both ends" : ""
        table.add(["complete", completeness.text + equal])
        for hole in ledger["missing"]?.array ?? [] { table.add(["missing", hole.string ?? hole.text]) }
        for job in ledger["unknown"]?.array ?? [] { table.add(["unknown", job.string ?? job.text]) }
        for remark in ledger["remarks"]?.array ?? [] { table.add(["remark", remark.string ?? remark.text]) }
        return table
    }

    /// Those of a run that goes on are so far.
    private var samples: Table {
        let collectors = SampleLedger(state).json.array ?? []
        guard !collectors.isEmpty else { return Table() }
        var table = Table(["COLLECTOR", "EXPECTED", "RECEIVED", "SKIPPED", "GAPS"])
        for collector in collectors {
            let counts = ["expected", "received", "overruns", "gaps"].map { String(collector[$0]?.int ?? 0) }
            table.add([collector["collector"]?.string ?? "?"] + counts)
        }
        return table
    }

    private var gaps: Table {
        guard !state.gaps.isEmpty else { return Table() }
        var table = Table(["COLLECTOR", "FROM", "TO", "SAMPLES", "REASON"])
        for gap in state.gaps {
            table.add([
                gap["collector"]?.string ?? "?", Amount.moment(gap["from"]?.string ?? "?"),
                Amount.moment(gap["to"]?.string ?? "?"), gap["samples"]?.int.map { String($0) } ?? "?",
                gap["reason"]?.string ?? "?",
            ])
        }
        return table
    }
}
