import SSH

/// Finds files by name over SFTP, without a shell. Runs on the SSH loop.
///
/// It takes a round trip for each hundred names and more for each folder; and the protocol tells times in whole seconds.
@SSHActor struct SFTPListing {
    private let sftp: SFTPClient
    private let pattern: GlobPattern
    private var tree = AskedTree([UInt8(ascii: "/")])
    private let most: Int
    private var expansion = Expansion()

    /// Bytes of a directory's path; the names in it add up to 256. Origin: a path that is longer than PATH_MAX of Linux can
    /// be given to nobody, and a server leaves out what it cannot look at.
    private static let longestPath = 4095 - 256

    /// - Parameter most: so many files are named, not more.
    static func expand(
        _ pattern: GlobPattern, over sftp: SFTPClient, most: Int
    ) async throws(SSHError) -> Expansion {
        var listing = SFTPListing(sftp: sftp, pattern: pattern, most: most)
        try await listing.run()
        let hasFound = !listing.expansion.files.isEmpty || !listing.expansion.problems.isEmpty
        if hasFound || !pattern.deep.isEmpty { listing.expansion.emptiness = nil }
        listing.expansion.settle(pattern.literal ?? pattern.fixedFolder)
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
            if !attributes.isDirectory { return try await add(path, attributes, pattern.fixedFolder.count + 1) }
            try await setTree(path)
            // The names in `/` begin with the only slash.
            let top = path == Self.root ? [] : path
            let entries = try await sftp.list(path)
            if entries.isEmpty { try await requireLooks(into: path) }
            enter(entries)
            return try await add(entries, in: top, top.count + 1)
        }
        let start = pattern.fixedFolder
        do throws(SSHError) { try await setTree(start) } catch {
            guard case .sftp = error.code else { throw error }
            return
        }
        let fixed = start.split(separator: UInt8(ascii: "/")).count
        try await match(start, pattern.components.dropFirst(fixed), start.count + 1)
    }

    private static let root = [UInt8(ascii: "/")]

    private mutating func setTree(_ path: [UInt8]) async throws(SSHError) {
        tree = AskedTree(try await sftp.realpath(path.isEmpty ? Self.root : path))
    }

    /// - Parameter stray: the link by which the directory was found, where it leads out of the tree.
    private mutating func match(
        _ directory: [UInt8], _ components: ArraySlice<[UInt8]>, _ folder: Int, stray: [UInt8]? = nil
    ) async throws(SSHError) {
        guard let component = components.first else { return }
        let entries = try await entries(of: directory, isListed: false)
        if component == Array("**".utf8) {
            // Walked whole; the pattern says which of the names it means.
            if let stray { return entries.isEmpty ? () : refuse(stray, AskedTree.strayReason) }
            return try await add(entries, in: directory, folder)
        }
        for entry in Self.sorted(entries) where GlobPattern.matches(entry.name, component) {
            if expansion.isCut { return }
            guard Self.isPlainName(entry.name) else { continue }
            let path = directory + Self.root + entry.name
            if components.count == 1 {
                // What is there shows that the link was on the way to something.
                if let stray { return refuse(stray, AskedTree.strayReason) }
                try await add(path, entry.attributes, folder)
            } else if entry.attributes.isDirectory {
                try await match(path, components.dropFirst(), folder, stray: stray)
            } else if entry.attributes.isSymlink {
                let own = stray == nil ? try await leadsOut(path) : nil
                try await match(path, components.dropFirst(), folder, stray: stray ?? own)
            }
        }
    }

    private func leadsOut(_ link: [UInt8]) async throws(SSHError) -> [UInt8]? {
        do throws(SSHError) { return tree.holds(try await sftp.realpath(link)) ? nil : link } catch {
            guard case .sftp = error.code else { throw error }
            return nil
        }
    }

    private mutating func add(
        _ path: [UInt8], _ attributes: SFTPAttributes, _ folder: Int
    ) async throws(SSHError) {
        if attributes.isRegular {
            guard pattern.deep.isEmpty || pattern.matchesBelow(path) else { return }
            guard expansion.files.count < most else { return expansion.isCut = true }
            expansion.files.append(
                RemoteFile(
                    path: path, relative: Array(path.dropFirst(folder)), size: attributes.size ?? 0,
                    modificationTime: attributes.modificationTime ?? 0, permissions: attributes.permissions ?? 0,
                    version: nil, boot: nil))
        } else if attributes.isDirectory, pattern.isOfWholeSystem, AskedTree.isKernels(path) {
            if pattern.deep.isEmpty || pattern.matchesBelow(path) { refuse(path, AskedTree.kernelsReason) }
        } else if attributes.isDirectory {
            guard path.count <= Self.longestPath else { return refuse(path, "file name too long") }
            let entries = try await entries(of: path, isListed: true)
            enter(entries)
            try await add(entries, in: path, folder)
        } else if pattern.deep.isEmpty || pattern.matchesBelow(path) {
            try await addOther(path, attributes, folder)
        }
    }

    /// Notes a directory that is asked for, or is in one.
    private mutating func enter(_ entries: [SFTPEntry]) {
        if expansion.emptiness == nil || !entries.isEmpty {
            expansion.emptiness = entries.isEmpty ? .nothing : .folders
        }
    }

    /// A link that stays in the tree stands for its file; one to a directory whose files come by their own names is passed
    /// over; everything else is refused.
    private mutating func addOther(
        _ path: [UInt8], _ attributes: SFTPAttributes, _ folder: Int
    ) async throws(SSHError) {
        guard attributes.isSymlink else { return refuse(path, "not a regular file") }
        let (real, status): ([UInt8], SFTPAttributes)
        do throws(SSHError) { (real, status) = (try await sftp.realpath(path), try await sftp.stat(path)) } catch {
            guard case .sftp = error.code else { throw error }
            return refuse(path, AskedTree.deadReason(try await Self.target(of: path, over: sftp)))
        }
        guard tree.holds(real) else { return refuse(path, AskedTree.strayReason) }
        if status.isDirectory, tree.brings(real, for: pattern) { return }
        guard status.isRegular else { return refuse(path, "a link to what is no regular file") }
        try await add(path, status, folder)
    }

    /// What a link says; nil for what is none.
    static func target(of path: [UInt8], over sftp: SFTPClient) async throws(SSHError) -> [UInt8]? {
        do throws(SSHError) { return try await sftp.readlink(path) } catch {
            guard case .sftp = error.code else { throw error }
            return nil
        }
    }

    private mutating func refuse(_ path: [UInt8], _ reason: String) {
        expansion.refuse(path, reason)
    }

    /// What is in a directory; one that cannot be listed is a problem of its own, and the others are not lost with it.
    /// - Parameter isListed: it was seen a moment ago; else it is nobody's loss where it is no directory.
    private mutating func entries(of directory: [UInt8], isListed: Bool) async throws(SSHError) -> [SFTPEntry] {
        do throws(SSHError) {
            let entries = try await sftp.list(directory.isEmpty ? Self.root : directory)
            if entries.isEmpty { try await requireLooks(into: directory) }
            return entries
        } catch {
            guard case .sftp(let status) = error.code else { throw error }
            if status == 3 {
                refuse(directory, "permission denied")
            } else if isListed {
                refuse(directory, status == 2 ? "no such file or directory" : error.message)
            }
            return []
        }
    }

    /// A server leaves out what it may not look at, and names nothing of a directory that may only be read.
    private func requireLooks(into directory: [UInt8]) async throws(SSHError) {
        do throws(SSHError) { _ = try await sftp.stat(directory + Array("/.".utf8)) } catch {
            if case .sftp(let status) = error.code, status != 3 { return }
            throw error
        }
    }

    /// Each name once: fetched side by side, two of one name would write to one place.
    private static func sorted(_ entries: [SFTPEntry]) -> [SFTPEntry] {
        var last: [UInt8]?
        return entries.sorted { $0.name.precedes($1.name) }.filter { entry in
            defer { last = entry.name }
            return entry.name != last
        }
    }

    private mutating func add(
        _ entries: [SFTPEntry], in directory: [UInt8], _ folder: Int
    ) async throws(SSHError) {
        for entry in Self.sorted(entries) {
            if expansion.isCut { return }
            guard Self.isPlainName(entry.name) else {
                refuse(directory, "the server named an impossible file")
                continue
            }
            try await add(directory + Self.root + entry.name, entry.attributes, folder)
        }
    }

    /// What readdir(3) can return: a server that says otherwise is lying.
    nonisolated static func isPlainName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && !name.contains(0x2F) && !name.contains(0) && name != [0x2E] && name != [0x2E, 0x2E]
    }
}
