import LinuxSystem
import RemoteJobs
import RunStore
import SSH

/// Fetches files one by one, several at a time, and compares them with the target's own hashes.
struct SingleFetch: Sendable {
    let line: TransferLine
    let worker: Worker
    let method: TransferMethod
    let parts: String
    let progress: TransferProgress
    let store: ContentStore

    typealias Outcome = Result<Arrival, TransferFailure>

    /// In the order of the files.
    func run(_ files: [RemoteFile]) async throws -> [(RemoteFile, Outcome)] {
        let hashing = Task { try await RemoteHashes(over: line).hashes(of: files.map(\.path)) }
        defer { hashing.cancel() }
        if let file = files.first, files.count == 1, file.size >= 1 << 20, line.tools.canHash,
            store.mayHave(size: Int64(file.size)), let hash = try await hashes(files, from: hashing)[file.path],
            let arrival = try await known(file, hash)
        {
            return [(file, .success(arrival))]
        }
        let outcomes = try await withThrowingTaskGroup(of: (Int, Result<(ReceivedFile, Double), TransferFailure>).self)
        {
            group in
            for (place, file) in files.enumerated() {
                group.addTask { (place, try await fetch(file)) }
            }
            var all: [Int: Result<(ReceivedFile, Double), TransferFailure>] = [:]
            for try await (place, outcome) in group { all[place] = outcome }
            return all
        }
        let hasAny = outcomes.values.contains { (try? $0.get()) != nil }
        let remote = hasAny ? try await hashes(files, from: hashing) : [:]
        // What the target had not said by then is not unknown, but unasked.
        try Task.checkCancellation()
        var settled: [(RemoteFile, Outcome)] = []
        for (place, file) in files.enumerated() {
            switch outcomes[place] {
            case .success(let (received, seconds))?:
                settled.append((file, try await settle(file, received, remote[file.path], seconds)))
            case .failure(let failure)?: settled.append((file, .failure(failure)))
            case nil: preconditionFailure("every file has an outcome")
            }
        }
        return settled
    }

    /// What the target has said of its files; nothing where it takes longer than any disk would.
    private func hashes(
        _ files: [RemoteFile], from hashing: Task<[[UInt8]: String], any Error>
    ) async throws -> [[UInt8]: String] {
        do {
            return try await Patience(bytes: files.reduce(0) { $0 &+ $1.size }).whileWaiting {
                try await hashing.attachedValue
            }
        } catch let failure as TransferFailure where failure.isStall { return [:] }
    }

    /// The same content is in the runs directory already.
    private func known(_ file: RemoteFile, _ hash: String) async throws -> Arrival? {
        let (store, part) = (store, PullBatch.part(of: file, in: parts))
        let size = Int64(file.size)
        let isExecutable = file.permissions & 0o100 != 0
        let isThere = try await worker.run {
            store.link(sha256: hash, size: size, isExecutable: isExecutable, as: part)
        }
        guard isThere else { return nil }
        return Arrival(
            file: file, part: part, size: size, sha256: hash, remoteSHA256: hash, method: "known", source: part)
    }

    private func fetch(_ file: RemoteFile) async throws -> Result<(ReceivedFile, Double), TransferFailure> {
        let began = Clock.boottimeNanoseconds()
        let part = PullBatch.part(of: file, in: parts)
        do {
            let received = try await FileTransfer(over: line, by: method, worker: worker).fetch(
                file, to: part, progress: { progress.tell(file, bytes: $0) },
                resumed: { progress.resume(file, at: $0) })
            return .success((received, Double(Clock.boottimeNanoseconds() - began) / 1e9))
        } catch let failure as TransferFailure {
            return .failure(failure)
        } catch let error as SystemError where !error.isStorageFailure {
            return .failure(TransferFailure(error.description))
        }
    }

    /// Decides what a file is whose hash here and there may differ.
    private func settle(
        _ file: RemoteFile, _ received: ReceivedFile, _ remote: String?, _ seconds: Double
    ) async throws -> Outcome {
        var arrival = Arrival(file, received, remote: remote, seconds)
        if remote == received.sha256 { return .success(arrival) }
        arrival.remoteSHA256 = nil
        let now: RemoteFile?
        do { now = try await line.current(file) } catch let failure as TransferFailure { return .failure(failure) }
        if !line.tools.canHash {
            if now != file || received.size != Int64(file.size) { arrival.note(now) }
            return .success(arrival)
        }
        if let now, now == file || now.size > file.size {
            // The hash was taken before or after: once more, of as much as is here.
            let again = try await hash(of: file, first: received.size)
            if now != file { arrival.note(now) }
            if again == nil { return .success(arrival) }
            if again == received.sha256 {
                arrival.remoteSHA256 = again
                return .success(arrival)
            }
            // One of the kernel's texts is written at each reading: it is another one, and not damaged.
            if now == file, file.size > 0 { return .failure(try await damaged(received)) }
        }
        arrival.note(now)
        return .success(arrival)
    }

    private func hash(of file: RemoteFile, first size: Int64) async throws -> String? {
        let line = line
        do {
            return try await Patience(bytes: UInt64(size)).whileWaiting {
                try await RemoteHashes(over: line).hash(of: file.path, first: size)
            }
        } catch let failure as TransferFailure where failure.isStall { return nil }
    }

    private func damaged(_ received: ReceivedFile) async throws -> TransferFailure {
        let part = received.part
        try? await worker.run { try FileSystem.removeTree(part) }
        return TransferFailure("damaged on the way: the hashes of both ends differ, and the target's file is the same")
    }
}
