import LinuxSystem
import RemoteJobs

/// Many small files, which go in an archive.
extension UploadBatch {
    /// Origin: as for pulls: larger files gain nothing from an archive, which must be sent anew after a cut.
    private static let smallSize: Int64 = 8 << 20
    /// Origin: an archive costs three channels, a file by SFTP one.
    private static let fewFiles = 4
    /// Origin: a cut costs no more than this.
    private static let sliceFiles = 2048
    private static let sliceBytes: Int64 = 128 << 20

    mutating func sendArchives(
        _ place: UploadPlace, _ target: Target, _ line: TransferLine, _ progress: TransferProgress
    ) async throws {
        let indices = forArchive
        if indices.isEmpty || !line.tools.hasTar { return }
        if !tree.isFolder { try await UploadSeat(over: line).makeParent(of: place.path) }
        try await take([ArchiveUpload.staging(key(nil), in: folder(of: place))], target)
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

    private var forArchive: [Int] {
        if method == .tar { return left }
        let small = left.filter { tree.files[$0].size < Self.smallSize }
        return tree.isFolder && method == nil && small.count >= Self.fewFiles ? small : []
    }

    /// The directory that an archive is unpacked in.
    private func folder(of place: UploadPlace) -> UploadPlace { tree.isFolder ? place : place.folder }

    /// As an archive names it, which is how it is called there.
    private func archived(_ index: Int, _ place: UploadPlace) -> LocalFile {
        tree.isFolder ? tree.files[index] : tree.files[index].called(RawPath(place.path).name)
    }

    /// - Returns: false where an archive cannot be sent at all, and none was asked for; file by file the reason then comes
    ///   out.
    private mutating func sendArchive(
        _ indices: [Int], _ place: UploadPlace, _ line: TransferLine, _ progress: TransferProgress
    ) async throws -> Bool {
        let began = Clock.boottimeNanoseconds()
        defer { progress.endArchive() }
        let archive = await ArchiveUpload(over: line, worker: worker, into: folder(of: place), key: key(nil))
        let outcomes: [Result<ArchiveUpload.Placed, TransferFailure>]
        do {
            outcomes = try await archive.send(indices.map { archived($0, place) }) {
                progress.tell(files: $0, bytes: $1)
            }
        } catch let failure as TransferFailure {
            if failure.isStall { throw failure }
            if method == .tar { throw await self.failure(failure, amid: indices, place) }
            return false
        } catch let error as UploadSeat.Unsettled {
            for index in indices { unsettled[index] = error.failure }
            throw error
        }
        let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
        var sent: [Sent] = []
        var failure: UploadFailure?
        for (index, outcome) in zip(indices, outcomes) {
            switch outcome {
            case .success(let placed):
                sent.append(
                    Sent(
                        index: index, sha256: placed.sha256, remoteSHA256: placed.remoteSHA256, method: "tar",
                        isSynced: placed.isSynced, replacesLink: placed.replacesLink, seconds: seconds))
            case .failure(let reason):
                failure = failure ?? self.failure(reason, index, place)
            }
        }
        try await record(sent, place, progress)
        if let failure { throw failure }
        return true
    }

    /// Why an archive could not be sent, and by the fault of which file.
    private func failure(
        _ failure: TransferFailure, amid indices: [Int], _ place: UploadPlace
    ) async -> UploadFailure {
        let files = indices.map { tree.files[$0] }
        if failure.isLocal, let broken = try? await worker.run({ files.firstIndex { !$0.isAsItWas } }) {
            return self.failure(failure, indices[broken], place)
        }
        return UploadFailure(failure, remote: place.path)
    }
}
