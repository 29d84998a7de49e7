import EventLog
import Glibc
import JSON
import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// Fetches the files of one entry over one line: many small ones in an archive, the others one by one; compares both ends'
/// hashes; gives each its place; records it.
struct PullBatch {
    /// A file that is in the run now.
    struct Pulled: Sendable {
        /// Relative to the run directory.
        let path: String
        /// Bytes.
        let size: Int64
        /// What became of the target's file while it was read.
        let change: FileChange?
        /// The target did not say what it has.
        let isUnverified: Bool
    }

    /// Told of files once their end is on record, or before their failure is.
    typealias Report = ([(RemoteFile, Result<Pulled, TransferFailure>)]) async throws -> Void

    let journal: Journal
    let feed: JobFeed
    /// Writes what comes.
    let worker: Worker
    /// Syncs and places what is here.
    private let recorder = Worker()
    let origin: PullOrigin
    /// Where files are until they are complete: an absolute path.
    let parts: String
    let line: TransferLine
    /// The way that was asked for; nil chooses.
    let method: TransferMethod?
    /// What is in the run already.
    let known: KnownVersions
    var places: ArtifactPlaces
    /// Files of which nothing came while others were fetched beside them: each is fetched by itself.
    var suspects: Set<[UInt8]> = []

    /// Origin: what is recorded at once: a cut costs no more than this.
    static let sliceFiles = 1024
    static let sliceBytes: UInt64 = 64 << 20

    init(
        journal: Journal, feed: JobFeed, worker: Worker, origin: PullOrigin, parts: String, line: TransferLine,
        method: TransferMethod?, known: KnownVersions, places: ArtifactPlaces
    ) {
        self.journal = journal
        self.feed = feed
        self.worker = worker
        self.origin = origin
        self.parts = parts
        self.line = line
        self.method = method
        self.known = known
        self.places = places
    }

    mutating func run(_ files: [RemoteFile], _ report: Report) async throws {
        let parts = parts
        try await worker.run { try FileSystem.makeDirectories(parts) }
        let progress = TransferProgress(files, feed)
        var left = try await takeUnchanged(files, progress, report)
        if mayArchive(left) {
            left = try await fetchArchive(left, progress, report)
        }
        try await fetchSingly(left, progress, report)
    }

    // MARK: One by one

    private mutating func fetchSingly(_ files: [RemoteFile], _ progress: TransferProgress, _ report: Report)
        async throws
    {
        if files.isEmpty { return }
        try await line.askForSFTP()
        let method = line.ways.pulling(method)
        // Reading one of the kernel's texts can hang, and an SFTP server would hang with it; scp takes them for empty.
        let safe = self.method == nil ? .exec : method
        let alone = files.filter { suspects.contains($0.path) }
        let others = files.filter { !suspects.contains($0.path) }
        try await fetchSingly(others.filter { !$0.isOfTheKernel }, by: method, progress, report)
        try await fetchSingly(others.filter(\.isOfTheKernel), by: safe, progress, report)
        for file in alone { try await fetch([file], safe, progress, report) }
    }

    private mutating func fetchSingly(
        _ files: [RemoteFile], by method: TransferMethod, _ progress: TransferProgress, _ report: Report
    ) async throws {
        // Several small ones at a time, as a channel takes its round trips; each large one fills the line alone.
        let width = method == .sftp ? 16 : 4
        let small = files.filter { $0.size < 1 << 20 }
        for start in stride(from: 0, to: small.count, by: width) {
            try await fetch(Array(small[start..<min(start + width, small.count)]), method, progress, report)
        }
        for file in files where file.size >= 1 << 20 { try await fetch([file], method, progress, report) }
    }

    private mutating func fetch(
        _ files: [RemoteFile], _ method: TransferMethod, _ progress: TransferProgress, _ report: Report
    ) async throws {
        let fetching = SingleFetch(
            line: line, worker: worker, method: method, parts: parts, progress: progress,
            store: ContentStore(runsDirectory: FileSystem.parent(of: journal.directory.path)))
        let outcomes = try await fetching.run(files)
        try await commit(outcomes.compactMap { try? $0.1.get() }, progress, report)
        var stalled: [RemoteFile] = []
        var failed: [(RemoteFile, Result<Pulled, TransferFailure>)] = []
        for (file, outcome) in outcomes {
            guard case .failure(let failure) = outcome else { continue }
            progress.fail(file)
            if failure.isStall { stalled.append(file) }
            // With others beside it, it may be another one that hangs, and this one behind it.
            if !failure.isStall || files.count == 1 { failed.append((file, .failure(failure))) }
        }
        try await report(failed)
        if stalled.isEmpty { return }
        if files.count > 1 { suspects.formUnion(stalled.map(\.path)) }
        if method == .sftp {
            await line.abandonSFTP()
            throw SSHError(.connectionLost, "the SFTP server hangs")
        }
        if files.count > 1 { for file in stalled { try await fetch([file], method, progress, report) } }
    }

    // MARK: The record

    /// Origin: so many syncs of single files take longer than one of the whole file system.
    private static let manyFiles = 16

    /// Brings files that are here to their places, to the disk, and on record, in this order: what a crash leaves in a
    /// place without a record is replaced.
    mutating func commit(_ arrivals: [Arrival], _ progress: TransferProgress, _ report: Report) async throws {
        if arrivals.isEmpty { return }
        let root = journal.directory.path
        let placed = arrivals.map { (arrival: $0, path: $0.place ?? places.take(for: $0.file)) }
        let store = ContentStore(runsDirectory: FileSystem.parent(of: root))
        let parts = parts
        do {
            try await recorder.run {
                let isMany = placed.count >= Self.manyFiles
                var folders: Set<String> = []
                for (arrival, path) in placed {
                    let destination = "\(root)/\(path)"
                    let parent = FileSystem.parent(of: destination)
                    if folders.insert(parent).inserted { try FileSystem.makeDirectories(parent) }
                    if !isMany && !arrival.isSynced { try File(path: arrival.part, O_RDONLY).sync() }
                    // What was linked to content of this run has its second name already.
                    let size = arrival.source == nil ? arrival.size : 0
                    try store.place(
                        arrival.part, at: destination, size: size, sha256: arrival.sha256,
                        isExecutable: arrival.file.permissions & 0o100 != 0)
                }
                if isMany { return try File(path: parts, O_RDONLY | O_DIRECTORY).syncFileSystem() }
                for folder in folders { try FileSystem.syncDirectories(from: folder, to: root) }
            }
        } catch {
            for (arrival, path) in placed {
                places.release(path)
                // It was there before it was on record.
                if arrival.place != nil { unlink(arrival.part) }
            }
            throw error
        }
        for (index, (arrival, path)) in placed.enumerated() {
            let data = event(arrival, path)
            if index == placed.count - 1 {
                try await journal.append(.artifactPulled, data)
            } else {
                journal.post(.artifactPulled, data)
            }
        }
        for (arrival, path) in placed {
            progress.finish(arrival.file, path, size: arrival.size, method: arrival.method)
        }
        try await report(
            placed.map { arrival, path in
                let pulled = Pulled(
                    path: path, size: arrival.size, change: arrival.change, isUnverified: arrival.isUnverified)
                return (arrival.file, .success(pulled))
            })
    }

    private func event(_ arrival: Arrival, _ path: String) -> JSONObject {
        let file = arrival.file
        return JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields,
            [
                "path": .string(path), "size": .int(arrival.size), "mtime": .int(Int64(file.modificationTime)),
                "mode": .int(Int64(file.permissions & 0o7777)), "sha256": .string(arrival.sha256),
                "remote_sha256": arrival.remoteSHA256.map { .string($0) },
                "unverified": arrival.isUnverified ? true : nil,
                "method": .string(arrival.method),
                "duration_s": .double((arrival.seconds * 1e6).rounded() / 1e6),
                "resumed_at": arrival.resumedAt > 0 ? .int(arrival.resumedAt) : nil,
                "changed": arrival.change == nil ? nil : true, "version": file.lastingVersion.map { .string($0) },
            ], RawName(file.path).json)
    }

    /// The same for every version of a file, so that a later attempt finds it, and one part is all that a log leaves which
    /// grows from one to the next. How much of it is the file's beginning `FileTransfer` finds out.
    static func part(of file: RemoteFile, in folder: String) -> String { "\(folder)/\(PartName.of(file.path))" }
}

extension PullBatch.Pulled {
    /// What whoever uses it should know.
    var warning: String? {
        switch change {
        case .grown: "\(path) has grown while it was read: its first \(ByteCount.text(size)) are here"
        case .removed: "\(path) was removed while it was read"
        case .replaced: "\(path) was replaced by another file while it was read"
        case .rewritten: "\(path) changed while it was read"
        case nil: nil
        }
    }
}
