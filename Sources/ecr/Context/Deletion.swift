import ECRCore
import JSON
import LinuxSystem
import RunStore

/// Runs that are to be deleted: shown with their sizes, asked for, deleted.
struct Deletion {
    struct Entry {
        let run: RunDirectory
        let condition: String
        /// 0 where it was not asked for.
        let bytes: Int64
    }

    let entries: [Entry]
    /// Content that several of them share counts once.
    private let bytes: Int64
    private let runs: RunsDirectory

    /// - Parameter isMeasured: whether anybody wants to know the sizes, which may take seconds.
    init(_ chosen: [(run: RunDirectory, condition: String)], in runs: RunsDirectory, isMeasured: Bool) {
        self.runs = runs
        var sum = TreeSum()
        let count = FileCount("measuring")
        entries = chosen.map { run, condition in
            Entry(run: run, condition: condition, bytes: isMeasured ? sum.add(run.path) { count.step() } : 0)
        }
        bytes = sum.bytes
        Terminal.clearStatus()
    }

    /// How many there are, and of what size.
    var amount: String { "\(Amount.count(Int64(entries.count), "run")), \(Amount.bytes(bytes))" }

    var table: String {
        var table = Table(["RUN", "STATE", "SIZE"])
        for entry in entries { table.add([entry.run.id, entry.condition, Amount.bytes(entry.bytes)]) }
        return table.text()
    }

    /// Deletes one after the other and prints the ids. One that fails does not keep the others.
    func perform(asJSON: Bool) throws {
        var deleted: [Entry] = []
        var failures: [ECRFailure] = []
        let count = FileCount("deleting")
        for entry in entries {
            do {
                try runs.delete(entry.run) { count.step() }
                deleted.append(entry)
                if !asJSON { Terminal.result(entry.run.id) }
            } catch { failures.append(ECRFailure(error)) }
        }
        Terminal.showStatus("deleting: content that no run has any more")
        runs.removeRemains()
        ContentStore(runsDirectory: runs.path).sweep()
        Terminal.clearStatus()
        if asJSON { Terminal.result(json(of: deleted)) }
        for failure in failures.dropLast() { Terminal.complain(failure.message, hint: failure.hint) }
        if let last = failures.last { throw last }
    }

    var json: JSON { json(of: entries) }

    private func json(of entries: [Entry]) -> JSON {
        let list = entries.map { entry -> JSON in
            ["run": .string(entry.run.id), "state": .string(entry.condition), "bytes": .int(entry.bytes)]
        }
        let isAll = entries.count == self.entries.count
        return ["runs": .array(list), "bytes": .int(isAll ? bytes : entries.reduce(0) { $0 + $1.bytes })]
    }
}

/// Shows how many files a step has dealt with. Used by one thread.
private final class FileCount {
    private let verb: String
    private var files = 0

    init(_ verb: String) { self.verb = verb }

    /// Origin: some ten times a second.
    private static let shown = 1000

    func step() {
        files += 1
        if files % Self.shown == 0 { Terminal.showStatus("\(verb): \(files) files") }
    }
}
