import EventLog
import JSON
import LinuxSystem
import Profiles
import RemoteJobs
import SSH

/// Sends what one name stands for over one connection: what is there already is left, many small files go in an archive,
/// the others one by one; each takes its place by a rename, and is recorded.
struct UploadBatch: Sendable {
    let journal: Journal
    let feed: JobFeed
    let worker: Worker
    let origin: UploadOrigin
    /// The way that was asked for; nil chooses.
    let method: TransferMethod?
    let upload: PreparedUpload
    let tree: UploadTree
    /// Whether an earlier attempt may have left something on the target.
    var mayResume = false
    /// The data of the `uploaded` events.
    private(set) var uploaded: [JSON] = []
    /// Places in the tree's list that are dealt with.
    private var done: Set<Int> = []
    private var hasBegun = false

    init(
        journal: Journal, feed: JobFeed, worker: Worker, origin: UploadOrigin, method: TransferMethod?,
        upload: PreparedUpload, tree: UploadTree
    ) {
        self.journal = journal
        self.feed = feed
        self.worker = worker
        self.origin = origin
        self.method = method
        self.upload = upload
        self.tree = tree
    }

    /// Origin: as for pulls: larger files gain nothing from an archive, which must be sent anew after a cut.
    private static let smallSize: Int64 = 8 << 20
    /// Origin: an archive costs three channels, a file by SFTP one.
    private static let fewFiles = 4
    /// Origin: a cut costs no more than this.
    private static let sliceFiles = 2048
    private static let sliceBytes: Int64 = 128 << 20

    /// Sends what is not done yet.
    /// - Throws: `UploadFailure`, `TransferFailure` where nothing of it can go there; `SSHError` where the link fails.
    mutating func run(on target: Target) async throws {
        let line = try await target.transferLine(isBulk: false)
        let place = try await UploadPlace.find(tree, to: upload.to, base: origin.workdir, over: line)
        // A profile means what it says, and must mean it the second time, too.
        if place.isStrange, origin.user == nil, !hasBegun {
            throw TransferFailure(
                "\(upload.to) is a directory with other things in it; write '\(upload.to)/' to put it in there, or "
                    + "'\(tree.name)/.' for what is in it")
        }
        hasBegun = true
        let isBulk = tree.bytes > 1 << 20 || tree.files.count > 64
        try await run(over: try await target.transferLine(isBulk: isBulk), to: place)
    }

    private mutating func run(over line: TransferLine, to place: UploadPlace) async throws {
        let known = try await line.known(tree, at: place, worker: worker)
        if done.isEmpty { announce(place) }
        let progress = TransferProgress(tree.files, feed, isUpload: true)
        for place in done { progress.finishSilently(tree.files[place]) }
        try await takeKnown(known, place, line, progress)
        if tree.isFolder { try await UploadSeat(over: line).make(tree.folders, in: place.path) }
        let small = left.filter { tree.files[$0].size < Self.smallSize }
        if line.tools.hasTar, tree.isFolder, method == .tar || method == nil && small.count >= Self.fewFiles {
            try await sendArchives(method == .tar ? left : small, place, line, progress)
        }
        try await sendSingly(place, line, progress)
    }

    private var left: [Int] { tree.files.indices.filter { !done.contains($0) } }

    private func destination(_ index: Int, _ place: UploadPlace) -> [UInt8] {
        tree.isFolder ? place.path + [UInt8(ascii: "/")] + Array(tree.files[index].relative.utf8) : place.path
    }

    private func owner(_ place: UploadPlace) -> String {
        "\(origin.owner) \(String(decoding: place.path, as: UTF8.self))"
    }

    // MARK: What is there already

    private mutating func takeKnown(
        _ known: [Int: TransferLine.Known], _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        var sent: [Sent] = []
        for index in left {
            guard let same = known[index] else { continue }
            let file = tree.files[index]
            if let permissions = same.permissions, permissions != file.permissions {
                try await UploadSeat(over: line).setPermissions(file.permissions, of: destination(index, place))
            }
            sent.append(Sent(index: index, sha256: same.sha256, remoteSHA256: same.sha256, method: "unchanged"))
        }
        try await record(sent, place, progress)
    }

    // MARK: Archives

    private mutating func sendArchives(
        _ indices: [Int], _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        var slice: [Int] = []
        var bytes: Int64 = 0
        for index in indices {
            slice.append(index)
            bytes += tree.files[index].size
            if slice.count >= Self.sliceFiles || bytes >= Self.sliceBytes {
                guard try await sendArchive(slice, place, line, progress) else { return }
                (slice, bytes) = ([], 0)
            }
        }
        if !slice.isEmpty { _ = try await sendArchive(slice, place, line, progress) }
    }

    /// - Returns: false where an archive cannot be sent at all; file by file the reason then comes out.
    private mutating func sendArchive(
        _ indices: [Int], _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws -> Bool {
        let began = Clock.boottimeNanoseconds()
        let archive = await ArchiveUpload(
            over: line, worker: worker, into: place.path, key: UploadSeat.key(owner(place)))
        let outcomes: [Result<ArchiveUpload.Placed, TransferFailure>]
        do {
            outcomes = try await archive.send(indices.map { tree.files[$0] }) { progress.tell(files: 0, bytes: $0) }
        } catch is TransferFailure { return false }
        let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
        var sent: [Sent] = []
        var failure: UploadFailure?
        for (index, outcome) in zip(indices, outcomes) {
            switch outcome {
            case .success(let placed):
                sent.append(
                    Sent(
                        index: index, sha256: placed.sha256, remoteSHA256: placed.remoteSHA256, method: "tar",
                        seconds: seconds))
            case .failure(let reason):
                failure = failure ?? UploadFailure(reason, at: tree.files[index].relative)
            }
        }
        try await record(sent, place, progress)
        if let failure { throw failure }
        return true
    }

    // MARK: One by one

    private mutating func sendSingly(
        _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        let method = singleMethod(line)
        // Some small ones at a time, as a channel takes its round trips; each large one fills the line alone.
        let width = 4
        let small = left.filter { tree.files[$0].size < 1 << 20 }
        for start in stride(from: 0, to: small.count, by: width) {
            try await send(Array(small[start..<min(start + width, small.count)]), method, place, line, progress)
        }
        for index in left { try await send([index], method, place, line, progress) }
    }

    private func singleMethod(_ line: TransferLine) -> TransferMethod {
        if let method, method != .tar { return method }
        return line.sftp != nil ? .sftp : .exec
    }

    private mutating func send(
        _ indices: [Int], _ method: TransferMethod, _ place: UploadPlace, _ line: TransferLine,
        _ progress: TransferProgress
    ) async throws {
        let outcomes = try await withThrowingTaskGroup(of: Result<Sent, UploadFailure>.self) { [self] group in
            for index in indices {
                group.addTask { try await send(index, method, place, line, progress) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await record(outcomes.compactMap { try? $0.get() }.sorted { $0.index < $1.index }, place, progress)
        for case .failure(let failure) in outcomes { throw failure }
    }

    private func send(
        _ index: Int, _ method: TransferMethod, _ place: UploadPlace, _ line: TransferLine,
        _ progress: TransferProgress
    ) async throws -> Result<Sent, UploadFailure> {
        let began = Clock.boottimeNanoseconds()
        let file = tree.files[index]
        let destination = destination(index, place)
        let temporary = UploadSeat.temporary(
            UploadSeat.key("\(owner(place)) \(file.relative)", file), for: destination)
        do {
            let sent = try await FileUpload(over: line, by: method, worker: worker).send(
                file, to: temporary, mayResume: mayResume
            ) { progress.tell(file, bytes: $0) }
            let hash = try await UploadSeat(over: line).place(
                UploadSeat.Arrival(
                    temporary: temporary, destination: destination, size: file.size, sha256: sent.sha256,
                    permissions: file.permissions))
            return .success(
                Sent(
                    index: index, sha256: sent.sha256, remoteSHA256: hash, method: sent.method.rawValue,
                    seconds: Double(Clock.boottimeNanoseconds() - began) / 1e9, resumedAt: sent.resumedAt))
        } catch let failure as TransferFailure {
            return .failure(UploadFailure(failure, at: tree.isFolder ? file.relative : nil))
        }
    }

    // MARK: The record

    /// A file that has its place.
    private struct Sent {
        let index: Int
        let sha256: String
        let remoteSHA256: String?
        let method: String
        /// Of the transfer, for an archive of all of it.
        var seconds = 0.0
        var resumedAt: Int64 = 0
    }

    private func announce(_ place: UploadPlace) {
        journal.post(
            .uploadStarted,
            JSONObject(
                ["target": .string(RunEngine.targetName)], origin.fields,
                [
                    "local": .string(tree.path), "remote": .string(String(decoding: place.path, as: UTF8.self)),
                    "files": JSON(tree.files.count), "bytes": .int(tree.bytes),
                ]))
    }

    private mutating func record(_ sent: [Sent], _ place: UploadPlace, _ progress: TransferProgress) async throws {
        for (number, one) in sent.enumerated() {
            let data = event(one, place)
            if number == sent.count - 1 {
                try await journal.append(.uploaded, data)
            } else {
                journal.post(.uploaded, data)
            }
        }
        for one in sent {
            done.insert(one.index)
            uploaded.append(.object(event(one, place)))
            progress.finish(tree.files[one.index], String(decoding: destination(one.index, place), as: UTF8.self))
        }
    }

    private func event(_ sent: Sent, _ place: UploadPlace) -> JSONObject {
        let file = tree.files[sent.index]
        return JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields,
            [
                "local": .string(tree.path), "path": tree.isFolder ? .string(file.relative) : nil,
                "remote": .string(String(decoding: destination(sent.index, place), as: UTF8.self)),
                "size": .int(file.size), "mode": .int(Int64(file.permissions)), "sha256": .string(sent.sha256),
                "remote_sha256": sent.remoteSHA256.map { .string($0) },
                "unverified": sent.remoteSHA256 == nil ? true : nil, "method": .string(sent.method),
                "duration_s": .double((sent.seconds * 1e6).rounded() / 1e6),
                "resumed_at": sent.resumedAt > 0 ? .int(sent.resumedAt) : nil,
            ])
    }
}
