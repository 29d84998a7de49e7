import EventLog
import Glibc
import Hashing
import LinuxSystem
package import RunStore
import ZIP

/// Writes a run as a dataset: one ZIP with one top folder, the run's id.
///
/// It holds `events.jsonl` up to one line, `manifest.json` as exactly those events tell it, the profile, `artifacts/`,
/// `logs/`, and `SHA256SUMS` over all of them, so that `sha256sum -c` checks it with nothing of ours.
package enum DatasetExport {
    /// What was written.
    package struct Summary: Sendable, Equatable {
        /// Absolute.
        package let file: String
        package let bytes: Int64
        package let sha256: String
        /// The number of events in it.
        package let events: Int64
        /// The number of files in it.
        package let files: Int
    }

    /// Writes the dataset, completely or not at all. The run may go on meanwhile.
    /// - Parameters:
    ///   - inspect: shown the bytes of every file of the run, one file after the other.
    ///   - progress: called now and then with a fraction from 0 to 1.
    /// - Throws: `EventLogError` for a damaged stream, `DatasetError` else.
    package static func export(
        _ run: RunDirectory, to destination: String, inspect: (_ name: String, _ bytes: [UInt8]) -> Void = { _, _ in },
        progress: @escaping (Double) -> Void = { _ in }
    ) throws -> Summary {
        let plan: ExportPlan
        do { plan = try ExportPlan(run) } catch let error as SystemError {
            throw DatasetError(code: .source, message: error.description)
        }
        do {
            try write(plan, id: run.id, to: destination, inspect, progress)
            return try summary(of: destination, plan)
        } catch let error as ArchiveError {
            throw DatasetError(code: error.code == .source ? .source : .storage, message: error.description)
        } catch let error as SystemError {
            throw DatasetError(code: .storage, message: error.description)
        }
    }

    private static func write(
        _ plan: ExportPlan, id: String, to destination: String, _ inspect: (String, [UInt8]) -> Void,
        _ progress: @escaping (Double) -> Void
    ) throws {
        let writer = try ArchiveWriter(destination: destination)
        let now = Clock.wallMicroseconds() / 1_000_000
        var sums = ""
        for entry in plan.entries {
            try writer.add(name: "\(id)/\(entry.name)", path: entry.path, length: entry.length)
            let hash = try hash(entry.path, length: entry.length) { inspect(entry.name, $0) }
            sums += "\(hash)  \(entry.name)\n"
        }
        try writer.add(name: "\(id)/manifest.json", bytes: plan.manifest, modificationTime: now)
        sums += "\(SHA256.hexDigest(of: plan.manifest))  manifest.json\n"
        try writer.add(name: "\(id)/SHA256SUMS", bytes: Array(sums.utf8), modificationTime: now)
        try writer.finish(progress: progress)
    }

    private static func summary(of destination: String, _ plan: ExportPlan) throws(SystemError) -> Summary {
        let bytes = try File(path: destination, O_RDONLY).size()
        return Summary(
            file: FileSystem.absolute(destination), bytes: bytes, sha256: try hash(destination, length: bytes),
            events: plan.checkpoint.seq, files: plan.entries.count + 2)
    }

    /// The hash of a file's first bytes, in bounded memory.
    private static func hash(
        _ path: String, length: Int64, _ inspect: ([UInt8]) -> Void = { _ in }
    ) throws(SystemError) -> String {
        let file = try File(path: path, O_RDONLY)
        var hash = SHA256()
        var offset: Int64 = 0
        while offset < length {
            let bytes = try file.read(at: offset, count: Int(min(1 << 18, length - offset)))
            if bytes.isEmpty { break }
            hash.update(bytes)
            inspect(bytes)
            offset += Int64(bytes.count)
        }
        return hash.hexDigest()
    }
}
