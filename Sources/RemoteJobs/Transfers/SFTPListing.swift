import SSH

/// Finds files by name over SFTP, without a shell. Runs on the SSH loop.
///
/// It takes a round trip for each hundred names and more for each folder; and the protocol tells times in whole seconds.
@SSHActor struct SFTPListing {
    private let sftp: SFTPClient
    private let pattern: GlobPattern
    /// The asked-for tree without links, with a slash at its end: links that lead out of it are not followed.
    private var tree: [UInt8] = []
    private let most: Int
    private var expansion = Expansion()

    private static let deepest = 32

    /// - Parameter most: so many files are named, not more.
    static func expand(
        _ pattern: GlobPattern, over sftp: SFTPClient, most: Int
    ) async throws(SSHError) -> Expansion {
        var listing = SFTPListing(sftp: sftp, pattern: pattern, most: most)
        try await listing.run()
        return listing.expansion
    }

    private init(sftp: SFTPClient, pattern: GlobPattern, most: Int) {
        self.sftp = sftp
        self.pattern = pattern
        self.most = most
    }

    private mutating func run() async throws(SSHError) {
        if let path = pattern.literal {
            let attributes = try await sftp.stat(path)
            if attributes.isDirectory { try await setTree(path) }
            let folder = attributes.isDirectory ? path.count + 1 : pattern.fixedFolder.count + 1
            return try await add(path, attributes, folder, 0)
        }
        let start = pattern.fixedFolder
        do throws(SSHError) { try await setTree(start) } catch {
            guard case .sftp = error.code else { throw error }
            return
        }
        try await match(start, pattern.components.dropFirst(start.split(separator: 0x2F).count), start.count + 1, 0)
    }

    private mutating func setTree(_ path: [UInt8]) async throws(SSHError) {
        let real = try await sftp.realpath(path.isEmpty ? [0x2F] : path)
        tree = real == [0x2F] ? real : real + [0x2F]
    }

    private mutating func match(
        _ directory: [UInt8], _ components: ArraySlice<[UInt8]>, _ folder: Int, _ depth: Int
    ) async throws(SSHError) {
        guard let component = components.first else { return }
        if component == Array("**".utf8) {
            // Walked whole; the pattern says which of the names it means.
            return try await addContents(of: directory, folder, depth)
        }
        let entries: [SFTPEntry]
        do throws(SSHError) { entries = try await sftp.list(directory.isEmpty ? [0x2F] : directory) } catch {
            guard case .sftp = error.code else { throw error }
            return
        }
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            guard Self.isPlainName(entry.name), GlobPattern.matches(entry.name, component) else { continue }
            let path = directory + [0x2F] + entry.name
            if components.count > 1 {
                try await match(path, components.dropFirst(), folder, depth + 1)
            } else {
                try await add(path, entry.attributes, folder, depth)
            }
        }
    }

    private mutating func add(
        _ path: [UInt8], _ attributes: SFTPAttributes, _ folder: Int, _ depth: Int
    ) async throws(SSHError) {
        if attributes.isRegular {
            guard pattern.deep.isEmpty || pattern.matchesBelow(path) else { return }
            guard expansion.files.count < most else { return expansion.isCut = true }
            expansion.files.append(
                RemoteFile(
                    path: path, relative: Array(path.dropFirst(folder)), size: attributes.size ?? 0,
                    modificationTime: attributes.modificationTime ?? 0, permissions: attributes.permissions ?? 0,
                    version: nil))
        } else if attributes.isDirectory && depth < Self.deepest {
            try await addContents(of: path, folder, depth)
        } else if pattern.deep.isEmpty || pattern.matchesBelow(path) {
            try await addOther(path, attributes, folder, depth)
        }
    }

    /// A link that stays in the tree stands for its file; everything else is refused.
    private mutating func addOther(
        _ path: [UInt8], _ attributes: SFTPAttributes, _ folder: Int, _ depth: Int
    ) async throws(SSHError) {
        guard attributes.isSymlink else { return refuse(path, "not a regular file") }
        let (real, status): ([UInt8], SFTPAttributes)
        do throws(SSHError) { (real, status) = (try await sftp.realpath(path), try await sftp.stat(path)) } catch {
            guard case .sftp = error.code else { throw error }
            return refuse(path, "a link that leads nowhere")
        }
        guard real.starts(with: tree) else { return refuse(path, "a link that leads out of the folder") }
        guard status.isRegular else { return refuse(path, "a link to what is no regular file") }
        try await add(path, status, folder, depth)
    }

    private mutating func refuse(_ path: [UInt8], _ reason: String) {
        expansion.problems.append(PullProblem(path: path, reason: reason))
    }

    private mutating func addContents(of directory: [UInt8], _ folder: Int, _ depth: Int) async throws(SSHError) {
        let entries = try await sftp.list(directory.isEmpty ? [0x2F] : directory)
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            if expansion.isCut { return }
            guard Self.isPlainName(entry.name) else {
                refuse(directory, "the server named an impossible file")
                continue
            }
            try await add(directory + [0x2F] + entry.name, entry.attributes, folder, depth + 1)
        }
    }

    /// What readdir(3) can return: a server that says otherwise is lying.
    nonisolated static func isPlainName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && !name.contains(0x2F) && !name.contains(0) && name != [0x2E] && name != [0x2E, 0x2E]
    }
}
