import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// What an export holds: decided once, from a prefix of the event stream, so that a run that goes on meanwhile cannot
/// make its parts disagree.
struct ExportPlan {
    struct Entry: Equatable {
        /// Below the archive's one top folder.
        let name: String
        let path: String
        /// The first bytes of the file that belong to the prefix.
        let length: Int64
    }

    /// Behind the last event of the prefix.
    let checkpoint: Checkpoint
    let manifest: [UInt8]
    let entries: [Entry]

    init(_ run: RunDirectory) throws {
        var reader = try EventReader(path: run.events)
        var state = RunState()
        while let event = try reader.next() { state.apply(event) }
        state.checkpoint = reader.checkpoint
        checkpoint = reader.checkpoint
        var manifest: [UInt8] = []
        state.writeManifest(id: run.id) { manifest += $0 }
        self.manifest = manifest

        let known = Self.knownLengths(run, state)
        var entries = [Entry(name: "events.jsonl", path: run.events, length: checkpoint.byteOffset)]
        for path in try Self.files(run.path) where !["events.jsonl", "manifest.json"].contains(path) {
            let file = "\(run.path)/\(path)"
            let size = try File(path: file, O_RDONLY | O_NOFOLLOW).size()
            entries.append(Entry(name: Self.entryName(path), path: file, length: min(size, known[path] ?? size)))
        }
        self.entries = entries
    }

    /// How many bytes of each raw log the events of the prefix speak of.
    private static func knownLengths(_ run: RunDirectory, _ state: RunState) -> [String: Int64] {
        var lengths: [String: Int64] = [:]
        for job in state.jobs {
            if job.kind == .collector {
                lengths[run.relative(run.collectorLog(job.name)), default: 0] += job.stdoutBytes
                // A job that has no row yet leaves the table as its predecessors did.
                let rows = run.relative(run.collectorRows(job.name))
                lengths[rows] = max(lengths[rows] ?? 0, job.tableBytes)
            } else {
                lengths[run.relative(run.actionLog(job: job.id, stream: "stdout"))] = job.stdoutBytes
                lengths[run.relative(run.actionLog(job: job.id, stream: "stderr"))] = job.stderrBytes
            }
        }
        return lengths
    }

    /// The regular files of the run, sorted, without what only a living run needs.
    private static func files(_ root: String) throws(SystemError) -> [String] {
        let tree = try RunTree(root) { path, name in path == name && name.hasPrefix(".") || FileSystem.isTemporary(name)
        }
        if let (_, error) = tree.unreadable.first { throw error }
        return tree.files.map(\.path)
    }

    /// A backslash divides folders for other systems, and a newline the lines of SHA256SUMS: both are percent-encoded.
    static func entryName(_ path: String) -> String {
        guard path.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 < 0x20 || $0 == 0x7F }) else { return path }
        return path.unicodeScalars.map { scalar in
            guard scalar == "\\" || scalar.value < 0x20 || scalar.value == 0x7F else { return String(scalar) }
            return "%" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16, uppercase: true)
        }.joined()
    }
}
