import LinuxSystem
import SSH

/// Finds files by the target's own `find`: one round trip for any number of names. Runs on the SSH loop.
@SSHActor struct ShellListing {
    private let line: TransferLine
    private let tools: TransferTools
    private let pattern: GlobPattern
    private let most: Int
    private let mostLinks: Int
    private var expansion = Expansion()
    private var links: [ListedName] = []
    /// What is wrong with all of it.
    private var remarks: [String] = []
    private let literal: [UInt8]?
    private let fixedFolder: [UInt8]

    /// - Parameters:
    ///   - most: so many files are named, not more.
    ///   - mostLinks: so many links are looked at: each may stand for a file, or for none.
    /// - Throws: `TransferFailure` where the target has not told all of it, or has too many links; `SSHError`.
    static func expand(
        _ pattern: GlobPattern, over line: TransferLine, _ tools: TransferTools, most: Int,
        mostLinks: Int = TransferLine.mostFiles, whenMuch: () -> Void = {}
    ) async throws -> Expansion {
        var listing = ShellListing(line: line, tools: tools, pattern: pattern, most: most, mostLinks: mostLinks)
        try await listing.find(whenMuch)
        try await listing.resolveLinks()
        try await listing.lookForFolders()
        listing.expansion.settle(listing.literal ?? listing.fixedFolder, remarks: listing.remarks)
        return listing.expansion
    }

    private init(line: TransferLine, tools: TransferTools, pattern: GlobPattern, most: Int, mostLinks: Int) {
        self.mostLinks = mostLinks
        self.line = line
        self.tools = tools
        self.pattern = pattern
        self.most = most
        literal = pattern.literal
        fixedFolder = pattern.fixedFolder
    }

    // MARK: Finding

    private mutating func find(_ whenMuch: () -> Void) async throws {
        let running = try await line.start(script)
        defer { running.close() }
        running.mostComplaints = Self.mostComplaints
        running.endInput()
        var parser = ListingParser()
        while !expansion.isCut, let bytes = try await running.read() {
            let wasMuch = expansion.isMuch
            for entry in parser.take(bytes) { add(entry) }
            if expansion.isMuch && !wasMuch { whenMuch() }
            if links.count > mostLinks {
                throw TransferFailure("more than \(mostLinks) links; ask for the folders in it one by one")
            }
            if parser.isExcessive { throw SSHError(.protocolViolation, "the target has listed a name without an end") }
        }
        if expansion.isCut { return }
        guard parser.isWhole else { throw Self.cutOff }
        // The last line of what is kept may be half a one.
        let complaints = running.hasSaidMore ? running.errorLines.dropLast() : running.errorLines[...]
        for line in complaints where !line.hasSuffix("No such file or directory") { note(line) }
        if running.hasSaidMore {
            remarks.append("the target complained of more than is kept: more of it may be missing")
        }
    }

    /// Bytes. Origin: for as many names as an expansion has problems.
    private static let mostComplaints = 1 << 20

    /// A program that was killed, for want of memory or by a person, has told a part; and what it did not tell may be the
    /// only copy.
    private static let cutOff = TransferFailure(
        "the target's listing was cut off: a program there was killed or failed")

    /// Without a match a pattern stays as it is, and `find` says that there is no such file.
    ///
    /// `find` and `stat` fail for single names, too, and by that nothing is lost; but not with the statuses of a command
    /// that could not be run or was killed, nor does a shell then.
    private var script: [UInt8] {
        // A link is followed where the user named it, not where a wildcard has found it.
        let follow = pattern.isNamed ? "-H " : ""
        let leaveOut = pattern.isOfWholeSystem ? #"\( -path /proc -o -path /sys \) -prune -print0 -o "# : ""
        let walk = #"[ $# -eq 0 ] || find \#(follow)"$@" \#(leaveOut)\! -type d -print0; \#(Self.mayFail)"#
        let look = #"printf '%s\0' "$@"; printf '\0'; ecr_m; ecr_s "$@"; \#(Self.mayFail); printf '\0'"#
        var steps = [Array(#"printf '%s\0' "#.utf8) + pattern.shellWords]
        if pattern.findsFolders {
            let filter = Array("xargs -0 sh -c \(shellWord(AskedTree.filter)) ecr ".utf8) + shellWord(fixedFolder)
            steps.append(filter + Array(" 2>/dev/null".utf8))
        }
        steps.append(Array("xargs -0 sh -c \(shellWord(walk)) ecr".utf8))
        let all =
            "[ $# -eq 0 ] || { \(Self.momentFunction(tools.status)); \(Self.statusFunction(tools.status)); \(look); }"
        steps.append(Array("xargs -0 sh -c \(shellWord(all)) ecr".utf8))
        return Array("export LC_ALL=C; ".utf8) + Self.pipeline(steps)
    }

    /// Behind a program: ends a shell under `xargs`, which then ends, too, unless the program came to its end.
    private static let mayFail = "[ $? -lt 126 ] || exit 255"

    /// A pipe of commands that prints the sign of its end (see `ListingParser`) where each of them has succeeded.
    private static func pipeline(_ steps: [[UInt8]]) -> [UInt8] {
        // The statuses go round the pipe; the last one's words leave it.
        let piped = steps.map { Array("{ ".utf8) + $0 + Array("; echo $? >&3; }".utf8) }
        let ends = Array(repeating: "0", count: steps.count).joined(separator: " ")
        return Array("exec 4>&1; ecr_e=$({ ".utf8) + piped.joined(separator: Array(" | ".utf8))
            + Array(#" >&4; } 3>&1); set -- $ecr_e; [ "$*" != "\#(ends)" ] || printf '\0\0'"#.utf8)
    }

    /// What `find` could not look into, or `stat` and `ls` could not look at: `find: '/a/b': Permission denied`, without the
    /// quotes from BusyBox, and `stat: cannot statx '/a/b': …`.
    private mutating func note(_ complaint: String) {
        guard let program = ["find: ", "stat: ", "ls: "].first(where: complaint.hasPrefix) else { return }
        let text = complaint.dropFirst(program.count)
        guard let colon = text.lastIndex(of: ":") else { return remark(text) }
        let reason = text[text.index(after: colon)...].drop { $0 == " " }
        var quoted = text[..<colon]
        if quoted.first != "/", let start = quoted.firstRange(of: "'/") { quoted = quoted[start.lowerBound...] }
        let name = QuotedName.bytes(quoted)
        if name.first != UInt8(ascii: "/") { return remark(text) }
        refuse(name, reason.prefix(1).lowercased() + reason.dropFirst())
    }

    /// Once and, since a target can say anything, not for ever.
    private mutating func remark(_ text: Substring) {
        if remarks.count < Self.mostRemarks, !remarks.contains(String(text)) { remarks.append(String(text)) }
    }

    /// Origin: a program that fails as a whole says so in a line or two.
    private static let mostRemarks = 5

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
        expansion.refuse(path, reason)
    }

    // MARK: Links

    /// A link that stays in the asked-for tree stands for its file; one to a directory whose files come by their own names
    /// is passed over; everything else is refused.
    private mutating func resolveLinks() async throws {
        if links.isEmpty { return }
        // For each name what the link says, the real path, and what is there; the first is the tree itself. What is there is
        // asked of the name: a real path below `/proc/self` is that of `readlink`, which is gone.
        let look = """
            \(Self.momentFunction(tools.status)); \(Self.statusFunction(tools.status, follows: true))
            for ecr_f; do printf '%s\\0' "$ecr_f"; readlink "$ecr_f"; printf '\\0'
            ecr_r=$(readlink -f "$ecr_f"; ecr_x=$?; echo x; exit $ecr_x); [ $? -le 128 ] || exit 255
            printf '%s\\0%s\\0\\0' "${ecr_r%x}" "$ecr_f"; ecr_m; ecr_s "$ecr_f"; \(Self.mayFail); printf '\\0'; done
            """
        let root = literal ?? (fixedFolder.isEmpty ? [UInt8(ascii: "/")] : fixedFolder)
        let names = [root] + links.map(\.path)
        // Five paths, one of them with a status, for each.
        let resolved = ResolvedLinks(
            try await line.ask(
                "exec xargs -0 sh -c \(shellWord(look)) ecr 2>/dev/null", of: names, limit: names.count * 6 * 4096))
        guard resolved.count == names.count else { throw Self.cutOff }
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
            } else if entry.kind != .directory || !tree.brings(path, for: pattern) {
                refuse(link.path, isNamed ? "not a regular file" : "a link to what is no regular file")
            }
        }
    }

    /// The real paths of names, and what is there.
    private struct ResolvedLinks {
        /// How many names it was told of.
        private(set) var count = 0
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
                count += 1
            }
        }

        func target(of name: [UInt8]) -> [UInt8]? { targets[name] }
        func path(of name: [UInt8]) -> [UInt8]? { paths[name] }
        func entry(of name: [UInt8]) -> ListedName? { entries[name] }
    }

    // MARK: Nothing

    /// A directory without a file is no missing one. Asked for only where nothing was found.
    private mutating func lookForFolders() async throws {
        guard expansion.files.isEmpty, expansion.problems.isEmpty, remarks.isEmpty, pattern.deep.isEmpty else { return }
        let look = """
            ; do [ ! -d "$ecr_f" ] || if [ -n "$(ls -A "$ecr_f" | head -n 1)" ]; then echo folders; else echo nothing; fi; done; echo end
            """
        let script = Array("export LC_ALL=C; exec 2>/dev/null; for ecr_f in ".utf8) + pattern.shellWords
        let words = try await line.run(script + Array(look.utf8)).output.split(separator: 0x0A)
        guard words.last?.elementsEqual("end".utf8) == true else { throw Self.cutOff }
        if words.count == 1 { return }
        expansion.emptiness = words.contains { $0.elementsEqual("folders".utf8) } ? .folders : .nothing
    }

    // MARK: Status

    /// A shell function that prints a line with the moment, which tells something only where files have exact times.
    private nonisolated static func momentFunction(_ status: TransferTools.Status) -> String {
        guard status == .fine else { return "ecr_m() { echo; }" }
        return """
            ecr_t=$(date +%s.%N); read -r ecr_b </proc/sys/kernel/random/boot_id; ecr_m() { echo "$ecr_t $ecr_b"; }
            """
    }

    /// A shell function that prints what `ListedName.all` reads of its names.
    /// - Parameter follows: of a link it tells what that leads to.
    nonisolated static func statusFunction(_ status: TransferTools.Status, follows: Bool = false) -> String {
        let follow = follows ? "L" : ""
        let option = follows ? "-L " : ""
        return switch status {
        case .fine: #"ecr_s() { stat \#(option)-c '%f %s %.9Y %.9Z %d:%i %n' -- "$@"; }"#
        case .plain: #"ecr_s() { stat \#(option)-c '%f %s %Y %Z %d:%i %n' -- "$@"; }"#
        case .missing:
            """
            set -f; ecr_l() { ecr_p=$1; shift; [ $# -ge 5 ] || return 0; ecr_d=$(date -r "$ecr_p" +%s 2>/dev/null)
            [ $? -le 128 ] || return 126; printf '%s %s %s ? ? %s\\n' "$1" "$5" "${ecr_d:-0}" "$ecr_p"; }
            ecr_s() { for ecr_n; do ecr_o=$(ls -lnd\(follow) -- "$ecr_n"); [ $? -lt 126 ] && ecr_l "$ecr_n" $ecr_o || return 126; done; }
            """
        }
    }
}
