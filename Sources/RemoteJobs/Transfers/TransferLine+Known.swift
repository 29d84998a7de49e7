package import LinuxSystem
import SSH

/// Content that is on the target already need not be sent.
extension TransferLine {
    /// A file of the target's with the content of a local one.
    package struct Known: Sendable {
        package let sha256: String
        package let permissions: UInt32?
    }

    /// Which of some files of a tree are on the target as they are here, by their places in its list. Asks about these
    /// names alone, about none where nothing is there, and takes no hash where sizes differ.
    /// - Parameter places: in the list, ascending. Their paths and what is said of them are held in memory.
    /// - Throws: `SSHError` where the link fails.
    package func known(
        _ tree: UploadTree, _ places: [Int], at place: UploadPlace, worker: Worker
    ) async throws -> [Int: Known] {
        switch place.standing {
        case .file:
            guard let file = tree.files.first, let told = place.sha256 else { return [:] }
            guard let hash = try? await worker.run({ try file.hash() }), hash == told else { return [:] }
            return [0: Known(sha256: hash, permissions: place.permissions)]
        case .directory where tools.canHash:
            return try await knownBelow(place, tree.files, places, worker)
        case .directory, .nothing, .other: return [:]
        }
    }

    private func knownBelow(
        _ place: UploadPlace, _ files: [LocalFile], _ places: [Int], _ worker: Worker
    ) async throws -> [Int: Known] {
        let paths = places.map { place.path(of: files[$0].relative) }
        var candidates: [(place: Int, path: [UInt8], permissions: UInt32)] = []
        for (index, other) in try await statuses(of: paths)
        where other.kind == .regular && other.size == UInt64(files[places[index]].size) {
            candidates.append((places[index], paths[index], other.permissions & 0o777))
        }
        let hashes = try await RemoteHashes(over: self).hashes(of: candidates.map(\.path))
        var known: [Int: Known] = [:]
        for candidate in candidates {
            guard let told = hashes[candidate.path] else { continue }
            let file = files[candidate.place]
            guard let hash = try? await worker.run({ try file.hash() }), hash == told else { continue }
            known[candidate.place] = Known(sha256: hash, permissions: candidate.permissions)
        }
        return known
    }

    /// What is behind names, links followed, with their places in the list and in its order.
    private func statuses(of paths: [[UInt8]]) async throws(SSHError) -> [(place: Int, status: ListedName)] {
        let look = #"\#(ShellListing.statusFunction(tools.status, follows: true)); ecr_s "$@""#
        let text = try await ask(
            "export LC_ALL=C; exec xargs -0 sh -c \(shellWord(look)) ecr 2>/dev/null", of: paths,
            limit: paths.reduce(1 << 20) { $0 + $1.count + 160 })
        return ListedName.all(paths, in: text[...])
    }
}
