package import LinuxSystem
import SSH

/// Content that is on the target already need not be sent.
extension TransferLine {
    /// A file of the target's with the content of a local one.
    package struct Known: Sendable {
        package let sha256: String
        package let permissions: UInt32?
    }

    /// Which files of a tree are on the target as they are here, by their places in the list. Costs nothing where
    /// nothing is there, and no hash where sizes differ.
    /// - Throws: `SSHError` where the link fails.
    package func known(_ tree: UploadTree, at place: UploadPlace, worker: Worker) async throws -> [Int: Known] {
        switch place.standing {
        case .file:
            guard let file = tree.files.first, let told = place.sha256 else { return [:] }
            guard let hash = try? await worker.run({ try file.hash() }), hash == told else { return [:] }
            return [0: Known(sha256: hash, permissions: place.permissions)]
        case .directory: return try await knownBelow(place.path, tree.files, worker)
        case .nothing, .other: return [:]
        }
    }

    private func knownBelow(_ root: [UInt8], _ files: [LocalFile], _ worker: Worker) async throws -> [Int: Known] {
        let expansion: Expansion
        do {
            expansion = try await expand(globLiteral(String(decoding: root, as: UTF8.self)), base: nil)
        } catch is TransferFailure { return [:] }
        let there = Dictionary(expansion.files.map { ($0.path, $0) }) { first, _ in first }
        var candidates: [(place: Int, path: [UInt8], permissions: UInt32)] = []
        for (place, file) in files.enumerated() {
            let path = root + [0x2F] + Array(file.relative.utf8)
            guard let other = there[path], other.size == UInt64(file.size) else { continue }
            candidates.append((place, path, other.permissions & 0o777))
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
}
