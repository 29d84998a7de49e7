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
    let lanes: UploadLanes
    let origin: UploadOrigin
    /// The way that was asked for; nil chooses.
    let method: TransferMethod?
    let upload: Upload
    let tree: UploadTree
    /// Whether an earlier attempt may have left something on the target.
    var mayResume = false
    private(set) var uploaded = UploadSummary()
    /// Bytes that were there when the last attempt ended.
    private(set) var reached: Int64 = 0
    /// Whether a file was cut that goes on where it was.
    var isResumable: Bool { cut.contains { !done.contains($0) } }
    /// Places in the tree's list of files that were cut and go on where they were.
    private var cut: Set<Int> = []
    /// Places in the tree's list that are dealt with.
    private var done: Set<Int> = []
    /// Places of files that may be on the target, since their last step did not come to an end, and why.
    var unsettled: [Int: TransferFailure] = [:]
    /// Temporary names that may be in use on the target.
    private var seats: [[UInt8]] = []
    private var lane: UploadLane?
    private var hasMadeFolders = false
    /// Where it goes, as it was found last.
    private var place: UploadPlace?

    init(
        journal: Journal, feed: JobFeed, worker: Worker, lanes: UploadLanes, origin: UploadOrigin,
        method: TransferMethod?, upload: Upload, tree: UploadTree
    ) {
        self.journal = journal
        self.feed = feed
        self.worker = worker
        self.lanes = lanes
        self.origin = origin
        self.method = method
        self.upload = upload
        self.tree = tree
    }

    /// Sends what is not done yet.
    /// - Throws: `UploadFailure`, `TransferFailure` where nothing of it can go there; `SSHError` where the link fails.
    mutating func run(on target: Target) async throws {
        try await target.require(method)
        let line = try await target.transferLine(isBulk: false, for: method)
        // Opened while the target still looks for the place.
        let (isBulk, method, goesAlone) = (isBulk, method, goesAlone)
        async let bulk = target.transferLine(isBulk: isBulk, for: method, asksForSFTP: goesAlone)
        let place = try await UploadPlace.find(tree, to: upload.to, base: origin.workdir, over: line)
        // A profile means what it says, and must mean it the second time, too.
        if place.isStrange, origin.user == nil, self.place == nil {
            throw TransferFailure(
                "\(upload.to.text) is a directory with other things in it; write '\(upload.to.text)/' to put it in there, or "
                    + "'\(RawPath(tree.name).text)/.' for what is in it")
        }
        self.place = place
        let owner = "\(origin.owner)\0\(String(decoding: place.path, as: UTF8.self))"
        if lane?.place != owner { lane = lanes.take(owner) }
        do { try await run(on: target, over: bulk, to: place) } catch let error as UploadSeat.Unsettled {
            guard TransferFailure.isStall(error.cause) else { throw error.cause }
            // It is told as the upload's failure, the others beside it.
            let first = unsettled.keys.min()
            if let first { unsettled[first] = nil }
            throw failure(error.failure, first ?? 0, place)
        }
    }

    /// Whether it is worth a session of its own.
    private var isBulk: Bool { tree.bytes > 1 << 20 || tree.files.count > 64 }

    /// Whether it cannot go in an archive.
    private var goesAlone: Bool { !tree.isFolder && method != .tar }

    private mutating func run(on target: Target, over line: TransferLine, to place: UploadPlace) async throws {
        if done.isEmpty { announce(place) }
        let progress = TransferProgress(tree.files, feed, isUpload: true)
        defer { reached = progress.standing.bytes }
        for place in done { progress.finishSilently(tree.files[place]) }
        try await takeKnown(place, line, progress)
        if line.tools.canHash { unsettled = [:] }
        if tree.isFolder { try await makeFolders(place, line) }
        try await sendArchives(place, target, line, progress)
        try await sendSingly(place, target, line, progress)
    }

    private mutating func makeFolders(_ place: UploadPlace, _ line: TransferLine) async throws {
        let seat = await UploadSeat(over: line)
        try await seat.make(tree.folders, in: place)
        if hasMadeFolders { return }
        for folder in try await seat.withoutBits(tree.folders, in: place) { uploaded.add(folderWithoutBits: folder) }
        hasMadeFolders = true
    }

    var left: [Int] { tree.files.indices.filter { !done.contains($0) } }

    func destination(_ index: Int, _ place: UploadPlace) -> [UInt8] {
        tree.isFolder ? place.path(of: tree.files[index].relative) : place.path
    }

    /// Tells temporary names from one another.
    /// - Parameter file: nil for an archive.
    func key(_ file: LocalFile?) -> String {
        let words = [lane?.place ?? origin.owner, String(lane?.number ?? 0)].map { Array($0.utf8) }
        return UploadSeat.key(words[0], words[1], file?.relative ?? [])
    }

    func failure(_ failure: TransferFailure, _ index: Int, _ place: UploadPlace?) -> UploadFailure {
        UploadFailure(
            failure, path: tree.isFolder ? tree.files[index].relative : nil,
            remote: place.map { destination(index, $0) })
    }

    // MARK: Temporary names

    /// Has names on record on the target before they are made.
    mutating func take(_ names: [[UInt8]], _ target: Target) async throws {
        seats = names
        try await target.note(seats: names, in: origin.spool)
    }

    /// Removes what is left on the target; else a later upload may go on with it, or the end of the run removes it.
    func removeSeats(on target: Target) async {
        guard !seats.isEmpty, let line = try? await target.transferLine(isBulk: false) else { return }
        try? await UploadSeat(over: line).remove(seats)
    }

    /// How many files are neither there nor perhaps there.
    var unsent: Int { left.count - unsettled.count }

    /// Files of which nobody can know whether they are there, once it is given up.
    mutating func takeUnsettled() -> [UploadFailure] {
        let failures = unsettled.sorted { $0.key < $1.key }.map { failure($0.value, $0.key, place) }
        unsettled = [:]
        return failures
    }

    // MARK: One by one

    /// Origin: what a name on record costs is nothing beside so many files.
    private static let namesAtATime = 64

    private mutating func sendSingly(
        _ place: UploadPlace, _ target: Target, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        if left.isEmpty { return }
        try await line.askForSFTP()
        if let warning = await target.warning(of: line) { feed.tell(.progress(warning)) }
        let method = line.ways.pushing(method)
        // Some small ones at a time, as a channel takes its round trips; each large one fills the line alone.
        let small = left.filter { tree.files[$0].size < 1 << 20 }
        let large = left.filter { tree.files[$0].size >= 1 << 20 }
        for (files, width) in [(small, 4), (large, 1)] {
            for (number, start) in stride(from: 0, to: files.count, by: width).enumerated() {
                if number % (Self.namesAtATime / width) == 0 {
                    let next = files[start..<min(start + Self.namesAtATime, files.count)]
                    try await take(next.map { temporary($0, place) }, target)
                }
                try await send(Array(files[start..<min(start + width, files.count)]), method, place, line, progress)
            }
        }
    }

    private func temporary(_ index: Int, _ place: UploadPlace) -> [UInt8] {
        UploadSeat.temporary(key(tree.files[index]), for: destination(index, place))
    }

    private mutating func send(
        _ indices: [Int], _ method: TransferMethod, _ place: UploadPlace, _ line: TransferLine,
        _ progress: TransferProgress
    ) async throws {
        let outcomes = await withTaskGroup(of: Outcome.self) { [self] group in
            for index in indices {
                group.addTask { await send(index, method, place, line, progress) }
            }
            return await group.reduce(into: [Outcome]()) { $0.append($1) }
        }
        // What has its place is on record, whatever has become of its neighbours.
        var sent: [Sent] = []
        var failure: UploadFailure?
        var interruption: (any Error)?
        for outcome in outcomes {
            switch outcome {
            case .placed(let one): sent.append(one)
            case .failed(let reason): failure = failure ?? reason
            case .interrupted(let index, let error, let isResumable):
                interruption = interruption ?? error
                if isResumable { cut.insert(index) }
            case .unsettled(let index, let error):
                unsettled[index] = error.failure
                interruption = error
            }
        }
        try await record(sent.sorted { $0.index < $1.index }, place, progress)
        if let error = interruption ?? failure { throw error }
    }

    /// What has become of one file.
    private enum Outcome {
        case placed(Sent)
        case failed(UploadFailure)
        case interrupted(Int, any Error, isResumable: Bool)
        case unsettled(Int, UploadSeat.Unsettled)
    }

    private func send(
        _ index: Int, _ method: TransferMethod, _ place: UploadPlace, _ line: TransferLine,
        _ progress: TransferProgress
    ) async -> Outcome {
        let began = Clock.boottimeNanoseconds()
        let file = tree.files[index]
        let (destination, temporary) = (destination(index, place), temporary(index, place))
        let upload = await FileUpload(over: line, by: method, worker: worker)
        do {
            let sent = try await upload.send(
                file, to: temporary, mayResume: mayResume, progress: { progress.tell(file, bytes: $0) },
                resumed: { progress.resume(file, at: $0) })
            let placed = try await UploadSeat(over: line).place(
                UploadSeat.Arrival(
                    temporary: temporary, destination: destination, size: file.size, sha256: sent.sha256,
                    permissions: file.permissions))
            return .placed(
                Sent(
                    index: index, sha256: sent.sha256, remoteSHA256: placed.sha256, method: sent.method.rawValue,
                    isSynced: placed.isSynced, replacesLink: placed.replacesLink,
                    seconds: Double(Clock.boottimeNanoseconds() - began) / 1e9,
                    resumedAt: sent.resumedAt))
        } catch let failure as TransferFailure {
            return .failed(self.failure(failure, index, place))
        } catch let error as UploadSeat.Unsettled {
            return .unsettled(index, error)
        } catch { return .interrupted(index, error, isResumable: upload.isResumable(file)) }
    }

    // MARK: The record

    /// A file that has its place.
    struct Sent {
        let index: Int
        let sha256: String
        let remoteSHA256: String?
        let method: String
        var isUnchanged: Bool { method == "unchanged" }
        /// It was there with others.
        var hasNewPermissions = false
        /// Whether a power cut leaves it there; of a file that was there nobody knows.
        var isSynced = true
        var replacesLink = false
        /// Of the transfer, for an archive of all of it.
        var seconds = 0.0
        var resumedAt: Int64 = 0
    }

    private func announce(_ place: UploadPlace) {
        journal.post(
            .uploadStarted,
            JSONObject(
                ["target": .string(RunEngine.targetName)], origin.fields, RawName(tree.path.bytes, as: "local").json,
                RawName(place.path).json, ["files": JSON(tree.files.count), "bytes": .int(tree.bytes)]))
    }

    mutating func record(_ sent: [Sent], _ place: UploadPlace, _ progress: TransferProgress) async throws {
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
            unsettled[one.index] = nil
            let (file, remote) = (tree.files[one.index], destination(one.index, place))
            uploaded.add(file, at: remote, remarks(on: one))
            progress.finish(file, String(decoding: remote, as: UTF8.self), size: file.size, method: one.method)
        }
    }

    private func remarks(on sent: Sent) -> Set<UploadSummary.Remark> {
        var remarks: Set<UploadSummary.Remark> = []
        if sent.isUnchanged { remarks.insert(.unchanged) }
        if sent.remoteSHA256 == nil { remarks.insert(.unverified) }
        if !sent.isSynced { remarks.insert(.unsynced) }
        if sent.hasNewPermissions { remarks.insert(.newPermissions) }
        if hasLostBits(sent) { remarks.insert(.hasLostBits) }
        if sent.replacesLink { remarks.insert(.replacesLink) }
        return remarks
    }

    private func hasLostBits(_ sent: Sent) -> Bool { tree.files[sent.index].specialBits != 0 && !sent.isUnchanged }

    private func event(_ sent: Sent, _ place: UploadPlace) -> JSONObject {
        let file = tree.files[sent.index]
        return JSONObject(
            ["target": .string(RunEngine.targetName)], origin.fields, RawName(tree.path.bytes, as: "local").json,
            tree.isFolder ? RawName(file.relative, as: "path").json : [:],
            RawName(destination(sent.index, place)).json,
            [
                "size": .int(file.size), "mode": .int(Int64(file.permissions)), "sha256": .string(sent.sha256),
                "remote_sha256": sent.remoteSHA256.map { .string($0) },
                "unverified": sent.remoteSHA256 == nil ? true : nil, "unsynced": sent.isSynced ? nil : true,
                "dropped_mode": hasLostBits(sent) ? .int(Int64(file.specialBits)) : nil,
                "replaced_link": sent.replacesLink ? true : nil,
                "method": .string(sent.method),
                "duration_s": .double((sent.seconds * 1e6).rounded() / 1e6),
                "resumed_at": sent.resumedAt > 0 ? .int(sent.resumedAt) : nil,
            ])
    }
}
