import ECRCore
import JSON
import LinuxSystem
import RunStore

/// Runs that are to be deleted: shown with their sizes, asked for, deleted.
struct Deletion {
    struct Entry {
        let run: RunDirectory
        let condition: String
        let bytes: Int64
    }

    let entries: [Entry]
    private let runs: RunsDirectory

    init(_ chosen: [(run: RunDirectory, condition: String)], in runs: RunsDirectory) {
        self.runs = runs
        entries = chosen.map { Entry(run: $0.run, condition: $0.condition, bytes: FileSystem.treeSize($0.run.path)) }
    }

    /// How many there are, and of what size.
    var amount: String {
        "\(Amount.count(Int64(entries.count), "run")), \(Amount.bytes(entries.reduce(0) { $0 + $1.bytes }))"
    }

    var table: String {
        var table = Table(["RUN", "STATE", "SIZE"])
        for entry in entries { table.add([entry.run.id, entry.condition, Amount.bytes(entry.bytes)]) }
        return table.text()
    }

    /// Deletes one after the other and prints the ids. One that fails does not keep the others.
    func perform(asJSON: Bool) throws {
        var deleted: [Entry] = []
        var failures: [ECRFailure] = []
        for entry in entries {
            do {
                try runs.delete(entry.run)
                deleted.append(entry)
                if !asJSON { Terminal.result(entry.run.id) }
            } catch { failures.append(ECRFailure(error)) }
        }
        runs.removeRemains()
        ContentStore(runsDirectory: runs.path).sweep()
        if asJSON { Terminal.result(json(of: deleted)) }
        for failure in failures.dropLast() { Terminal.complain(failure.message, hint: failure.hint) }
        if let last = failures.last { throw last }
    }

    var json: JSON { json(of: entries) }

    private func json(of entries: [Entry]) -> JSON {
        let list = entries.map { entry -> JSON in
            ["run": .string(entry.run.id), "state": .string(entry.condition), "bytes": .int(entry.bytes)]
        }
        return ["runs": .array(list), "bytes": .int(entries.reduce(0) { $0 + $1.bytes })]
    }
}
