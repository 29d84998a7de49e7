import Glibc
import JSON
import LinuxSystem
import RemoteJobs
import RunStore

/// Files that are, to the nanosecond, those that were fetched before in this run: they are linked.
extension PullBatch {
    /// - Returns: the others.
    mutating func takeUnchanged(
        _ files: [RemoteFile], _ progress: TransferProgress, _ report: Report
    ) async throws -> [RemoteFile] {
        if known.isEmpty { return files }
        var left: [RemoteFile] = []
        var linked: [Arrival] = []
        for start in stride(from: 0, to: files.count, by: Self.sliceFiles) {
            let slice = files[start..<min(start + Self.sliceFiles, files.count)]
            left += slice.filter { known[$0] == nil }
            let same = slice.compactMap { file in known[file].map { arrival(of: file, as: $0) } }
            // While one slice is recorded, the next is linked.
            async let linking = worker.run { same.map { $0.link() } }
            do { try await commit(linked, progress, report) } catch {
                await takeBack(same, (try? await linking) ?? [])
                throw error
            }
            linked = []
            for (arrival, isLinked) in zip(same, try await linking) {
                if isLinked {
                    linked.append(arrival)
                } else {
                    arrival.place.map { places.release($0) }
                    left.append(arrival.file)
                }
            }
        }
        try await commit(linked, progress, report)
        return left
    }

    /// Leaves the places of files that are linked and will not be on record to another attempt.
    private mutating func takeBack(_ same: [Arrival], _ isLinked: [Bool]) async {
        for arrival in same { arrival.place.map { places.release($0) } }
        let stray = zip(same, isLinked).filter { $1 }.map(\.0.part)
        try? await worker.run { for part in stray { unlink(part) } }
    }

    private mutating func arrival(of file: RemoteFile, as earlier: KnownVersions.Known) -> Arrival {
        let (root, place) = (journal.directory.path, places.take(for: file))
        return Arrival(
            file: file, part: "\(root)/\(place)", size: Int64(file.size), sha256: earlier.sha256,
            remoteSHA256: earlier.remoteSHA256, method: "unchanged", source: "\(root)/\(earlier.path)", place: place)
    }
}
