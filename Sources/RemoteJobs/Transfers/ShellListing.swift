import LinuxSystem
import SSH

/// Finds files by the target's own `find`: one round trip for any number of names. Runs on the SSH loop.
@SSHActor struct ShellListing {
    private let line: TransferLine
    private let tools: TransferTools
    private let pattern: GlobPattern
    private let most: Int
    private var expansion = Expansion()
    private var links: [ListedName] = []
    private let literal: [UInt8]?
    private let fixedFolder: [UInt8]

    /// - Parameter most: so many files are named, not more.
    static func expand(
        _ pattern: GlobPattern, over line: TransferLine, _ tools: TransferTools, most: Int
    ) async throws(SSHError) -> Expansion {
        var listing = ShellListing(line: line, tools: tools, pattern: pattern, most: most)
        try await listing.find()
        try await listing.resolveLinks()
        try await listing.lookForFolders()
        listing.expansion.files.sort { $0.path.precedes($1.path) }
        listing.expansion.dropRepeated()
        listing.expansion.problems.sort { $0.path.precedes($1.path) }
        return listing.expansion
    }

    private init(line: TransferLine, tools: TransferTools, pattern: GlobPattern, most: Int) {
        self.line = line
        self.tools = tools
        self.pattern = pattern
        self.most = most
        literal = pattern.literal
        fixedFolder = pattern.fixedFolder
    }

    // MARK: Finding

    private mutating func find() async throws(SSHError) {
        let running = try await line.start(script)
        defer { running.close() }
        running.endInput()
        var parser = ListingParser()
        while !expansion.isCut, let bytes = try await running.read() {
            for entry in parser.take(bytes) { add(entry) }
            if parser.isExcessive { throw SSHError(.protocolViolation, "the target has listed a name without an end") }
        }
        if expansion.isCut { return }
        for line in running.errorLines where !line.hasSuffix("No such file or directory") { note(line) }
    }

    /// Without a match a pattern stays as it is, and `find` says that there is no such file.
    private var script: [UInt8] {
        // A link is followed where the user named it, not where a wildcard has found it.
        let follow = pattern.isNamed ? "-H " : ""
        let leaveOut = pattern.isOfWholeSystem ? #"\( -path /proc -o -path /sys \) -prune -print0 -o "# : ""
        let walk = #"find \#(follow)"$@" \#(leaveOut)\! -type d -print0"#
        let look =
            "\(Self.statusFunction(tools.status)); printf '%s\\0' \"$@\"; printf '\\0'; ecr_s \"$@\"; printf '\\0'"
        var script = Array("export LC_ALL=C; printf '%s\\0' ".utf8) + pattern.shellWords
        if pattern.findsFolders {
            script += Array(" | xargs -0 sh -c \(shellWord(AskedTree.filter)) ecr ".utf8) + shellWord(fixedFolder)
            script += Array(" 2>/dev/null".utf8)
        }
        return script
            + Array(
                """
                 | xargs -0 sh -c \(shellWord(walk)) ecr | xargs -0 sh -c \(shellWord("[ $# -eq 0 ] || { \(look); }")) ecr 2>/dev/null
                """.utf8)
    }

    /// What `find` could not look into: `find: '/a/b': Permission denied`, without the quotes from BusyBox.
    private mutating func note(_ complaint: String) {
        guard complaint.hasPrefix("find: ") else { return }
        let text = complaint.dropFirst("find: ".count)
        guard let colon = text.lastIndex(of: ":") else { return refuse(literal ?? fixedFolder, String(text)) }
        let reason = text[text.index(after: colon)...].drop { $0 == " " }
        let name = QuotedName.bytes(text[..<colon])
        if name.first != UInt8(ascii: "/") { return refuse(literal ?? fixedFolder, String(text)) }
        refuse(name, reason.prefix(1).lowercased() + reason.dropFirst())
    }

    private mutating func add(_ entry: ListedName) {
        // What the tree's filter names in the place of what is behind it.
        let isStray = pattern.findsFolders && pattern.isOnTheWay(entry.path)
        guard isStray || pattern.deep.isEmpty || pattern.matchesBelow(entry.path) else { return }
        switch entry.kind {
        case .regular: append(entry, entry.path)
        case .link: links.append(entry)
        // Named only where it was not looked into.
        case .directory: refuse(entry.path, AskedTree.kernelsReason)
        case .other: refuse(entry.path, "not a regular file")
        }
    }

    private mutating func append(_ entry: ListedName, _ path: [UInt8]) {
        guard expansion.files.count < most else { return expansion.isCut = true }
        // What is below a literal path is a file in a folder that was asked for.
        let folder = literal.flatMap { path.count > $0.count ? $0 : nil } ?? fixedFolder
        let start = folder.last == UInt8(ascii: "/") ? folder.count : folder.count + 1
        expansion.files.append(
            RemoteFile(
                path: path, relative: Array(path.dropFirst(start)), size: entry.size,
                modificationTime: entry.modificationTime, permissions: entry.permissions, version: entry.version,
                boot: entry.boot))
    }

    private mutating func refuse(_ path: [UInt8], _ reason: String) {
        expansion.problems.append(PullProblem(path: path, reason: reason))
    }

    // MARK: Links

    /// A link that stays in the asked-for tree stands for its file; everything else is refused.
    private mutating func resolveLinks() async throws(SSHError) {
        if links.isEmpty { return }
        // For each name what the link says, the real path, and what is there; the first is the tree itself.
        let look = """
            \(Self.statusFunction(tools.status)); for ecr_f; do printf '%s\\0' "$ecr_f"; readlink "$ecr_f"; printf '\\0'
            readlink -f "$ecr_f"; printf '\\0'
            ecr_r=$(readlink -f "$ecr_f"; echo x); ecr_r=${ecr_r%?x}; printf '%s\\0\\0' "$ecr_r"; ecr_s "$ecr_r"; printf '\\0'; done
            """
        let running = try await line.start(
            Array("exec xargs -0 sh -c \(shellWord(look)) ecr 2>/dev/null".utf8))
        defer { running.close() }
        let root = literal ?? (fixedFolder.isEmpty ? [UInt8(ascii: "/")] : fixedFolder)
        // Written and read side by side: neither waits for the other's buffers.
        let names = [root] + links.map(\.path)
        let writer = Task { try? await running.writeNames(names) }
        // Five paths, one of them with a status, for each.
        let resolved = ResolvedLinks(try await running.readAll(limit: names.count * 6 * 4096))
        await writer.value
        let tree = AskedTree(resolved.path(of: root) ?? root)
        for link in links {
            // A link that was named is what the user asked for.
            let isNamed = link.path == literal
            guard let path = resolved.path(of: link.path), let entry = resolved.entry(of: link.path) else {
                refuse(link.path, AskedTree.deadReason(resolved.target(of: link.path)))
                continue
            }
            if !isNamed && !tree.holds(path) {
                refuse(link.path, AskedTree.strayReason)
            } else if entry.kind == .regular {
                append(entry, link.path)
            } else {
                refuse(link.path, isNamed ? "not a regular file" : "a link to what is no regular file")
            }
        }
    }

    /// The real paths of names, and what is there.
    private struct ResolvedLinks {
        private var targets: [[UInt8]: [UInt8]] = [:]
        private var paths: [[UInt8]: [UInt8]] = [:]
        private var entries: [[UInt8]: ListedName] = [:]

        init(_ output: [UInt8]) {
            var fields = output.split(separator: 0, omittingEmptySubsequences: false)[...]
            // A name, what it says and its real path with a newline each, and the listing of that path: three fields.
            while fields.count >= 6 {
                let name = Array(fields[fields.startIndex])
                let target = Array(fields[fields.startIndex + 1].dropLast())
                let path = Array(fields[fields.startIndex + 2].dropLast())
                var parser = ListingParser()
                let listing = fields[(fields.startIndex + 3)..<(fields.startIndex + 6)].joined(separator: [0])
                if !target.isEmpty { targets[name] = target }
                if !path.isEmpty { paths[name] = path }
                entries[name] = parser.take(Array(listing) + [0]).first
                fields = fields.dropFirst(6)
            }
        }

        func target(of name: [UInt8]) -> [UInt8]? { targets[name] }
        func path(of name: [UInt8]) -> [UInt8]? { paths[name] }
        func entry(of name: [UInt8]) -> ListedName? { entries[name] }
    }

    // MARK: Nothing

    /// A directory without a file is no missing one. Asked for only where nothing was found.
    private mutating func lookForFolders() async throws(SSHError) {
        guard expansion.files.isEmpty, expansion.problems.isEmpty, pattern.deep.isEmpty else { return }
        let look = """
            ; do [ ! -d "$ecr_f" ] || if [ -n "$(ls -A "$ecr_f" | head -n 1)" ]; then echo folders; else echo nothing; fi; done
            """
        let script = Array("export LC_ALL=C; exec 2>/dev/null; for ecr_f in ".utf8) + pattern.shellWords
        let words = try await line.run(script + Array(look.utf8)).output.split(separator: 0x0A)
        if words.isEmpty { return }
        expansion.emptiness = words.contains { $0.elementsEqual("folders".utf8) } ? .folders : .nothing
    }

    // MARK: Status

    /// A shell function that prints what `ListingParser` reads: the moment, which tells something only where files have
    /// exact times, and a line for each of its names that is there.
    private static func statusFunction(_ status: TransferTools.Status) -> String {
        switch status {
        case .fine:
            #"""
            ecr_t=$(date +%s.%N); read -r ecr_b </proc/sys/kernel/random/boot_id
            ecr_s() { echo "$ecr_t $ecr_b"; stat -c '%f %s %.9Y %.9Z %d:%i %n' -- "$@"; }
            """#
        case .plain: #"ecr_s() { echo; stat -c '%f %s %Y %Z %d:%i %n' -- "$@"; }"#
        case .missing:
            """
            set -f; ecr_l() { ecr_p=$1; shift; if [ $# -ge 5 ]; then printf '%s %s %s ? ? ' "$1" "$5" \
            "$(date -r "$ecr_p" +%s || echo 0)"; printf '%s\\n' "$ecr_p"; fi; }
            ecr_s() { echo; for ecr_n; do ecr_l "$ecr_n" $(ls -lnd -- "$ecr_n"); done; }
            """
        }
    }
}
