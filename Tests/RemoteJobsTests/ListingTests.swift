import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

@testable import RemoteJobs

/// What an artifact entry names: by the target's own programs, and by SFTP alone.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ListingTests {
    enum Way: String, CaseIterable, Sendable { case shell, sftp, withoutStat }

    private struct Tree {
        let server: SSHServer
        let target: Target
        let line: TransferLine
        let folder: String
        let way: Way
        private let programs: ScratchDirectory

        /// - Parameter programs: shell scripts in the place of the target's own, which are in `$real`.
        init(_ way: Way, with programs: [String: String] = [:]) async throws {
            self.way = way
            self.programs = try ScratchDirectory()
            for (name, script) in programs {
                let real = try #require(Command.find(name))
                try self.programs.write("bin/\(name)", "#!/bin/sh\nreal=\(real)\n\(script)\n", mode: 0o755)
            }
            server = try await SSHServer.start(
                .init(extraLines: ["SetEnv PATH=\(self.programs.path("bin")):/usr/bin:/bin"]))
            target = try await Target.connect(server.options)
            line = try await target.transferLine(isBulk: false)
            folder = server.scratch.path("tree")
            for name in [
                "a.csv", "b.csv", ".hidden.csv", "c.txt", "sub/d.csv", "sub/deep/e.csv", "x*y", "sub/.h/f.csv",
            ] {
                try server.scratch.write("tree/\(name)", name)
            }
            try server.scratch.write("secret", "outside")
            try server.scratch.write("away/f.txt", "outside")
            let script = """
                cd "$0" && mkfifo pipe sub/pipe && ln -s ../secret link && ln -s ../../secret sub/link
                ln -s ../a.csv sub/inside.csv && ln -s nowhere sub/dangling && ln -s ../../away sub/folder
                """
            try await Command.runSuccessfully("/bin/sh", ["-c", script, folder])
        }

        func expand(_ pattern: String, most: Int = 1000) async throws -> Expansion {
            let pattern = GlobPattern(pattern, base: folder)
            var tools = line.tools
            if way == .withoutStat { tools.status = .missing }
            switch way {
            case .sftp: return try await SFTPListing.expand(pattern, over: #require(line.sftp), most: most)
            case .shell, .withoutStat:
                return try await ShellListing.expand(pattern, over: line, tools, most: most)
            }
        }

        func names(_ pattern: String) async throws -> [String] {
            try await expand(pattern).files.map { String(decoding: $0.relative, as: UTF8.self) }
        }

        func problems(_ pattern: String) async throws -> [String] {
            let problems = try await expand(pattern).problems.map {
                "\(String(decoding: $0.path.dropFirst(folder.utf8.count), as: UTF8.self)): \($0.reason)"
            }
            return problems.sorted()
        }
    }

    @Test(arguments: Way.allCases) func patternsFilesAndFoldersAreExpanded(_ way: Way) async throws {
        let tree = try await Tree(way)
        #expect(try await tree.names("*.csv") == ["a.csv", "b.csv"])
        #expect(try await tree.names("\(tree.folder)/*.csv") == ["a.csv", "b.csv"])
        #expect(try await tree.names(".*.csv") == [".hidden.csv"])
        #expect(try await tree.names("s*/d*.csv") == ["sub/d.csv"])
        #expect(try await tree.names("[ab].csv") == ["a.csv", "b.csv"])
        #expect(try await tree.names("[!a].csv") == ["b.csv"])
        try await expectBrackets(in: tree)
        #expect(try await tree.names("c.txt") == ["c.txt"])
        #expect(try await tree.names(#"x\*y"#) == ["x*y"])
        #expect(try await tree.names("sub/deep") == ["e.csv"])
        #expect(try await tree.names("*.none").isEmpty)
        #expect(try await tree.names("none/*").isEmpty)
        let file = try #require(try await tree.expand("a.csv").files.first)
        #expect(file.size == 5)
        #expect(file.permissions & 0o777 == 0o600)
        #expect((file.version != nil) == (way == .shell))
        await tree.target.close()
    }

    /// They mean the same wherever they are read.
    private func expectBrackets(in tree: Tree) async throws {
        for (name, found) in [
            ("[^a].csv", ["b.csv"]), ("[^b].*", ["a.csv", "c.txt"]), ("[[:alpha:]].csv", ["a.csv", "b.csv"]),
            ("[^[:digit:]a].csv", ["b.csv"]), ("[[:digit:]].csv", []), ("[![:alpha:]]*", []),
            ("x[[:punct:]]y", ["x*y"]), (#"[\]a].csv"#, ["a.csv"]), ("[]b].csv", ["b.csv"]), ("[^]b].csv", ["a.csv"]),
            ("[a^].csv", ["a.csv"]), ("[[:alpha:].csv", []), (#"[\!a].csv"#, ["a.csv"]),
        ] {
            #expect(try await tree.names(name) == found, "\(name)")
            #expect(try await tree.names("**/\(name)").filter { !$0.contains("/") } == found, "\(name)")
        }
    }

    @Test(arguments: Way.allCases) func theRootIsAFolderLikeOthers(_ way: Way) async throws {
        let tree = try await Tree(way)
        let all = try await tree.expand("/", most: 5)
        #expect(all.isCut && all.files.count == 5)
        for file in all.files {
            #expect(file.path == [0x2F] + file.relative && file.relative.first != 0x2F)
            #expect(!file.path.starts(with: "/proc/".utf8) && !file.path.starts(with: "/sys/".utf8))
        }
        // The kernel's own folders, by name and not by name.
        let problems = try await tree.expand("/[ps][ry][os]*")
        #expect(problems.files.isEmpty)
        #expect(
            problems.problems
                == ["/proc", "/sys"].map {
                    PullProblem(path: Array($0.utf8), reason: AskedTree.kernelsReason)
                })
        #expect(try await tree.names("/proc/sys/kernel/ostype") == ["ostype"])
        #expect(try await tree.names("/*/sys/kernel/ostype") == ["proc/sys/kernel/ostype"])
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func twoAsterisksAreAnyFolders(_ way: Way) async throws {
        let tree = try await Tree(way)
        #expect(
            try await tree.names("**/*.csv") == ["a.csv", "b.csv", "sub/d.csv", "sub/deep/e.csv", "sub/inside.csv"])
        #expect(try await tree.names("sub/**/e.csv") == ["deep/e.csv"])
        #expect(try await tree.names("**/deep") == ["sub/deep/e.csv"])
        #expect(try await tree.names("sub/deep/**") == ["e.csv"])
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func linksAreFollowedOnlyInsideAndOthersAreNoFiles(_ way: Way) async throws {
        let tree = try await Tree(way)
        #expect(try await tree.problems("pipe") == ["/pipe: not a regular file"])
        let problems = try await tree.problems("sub")
        #expect(
            problems
                == [
                    "/sub/dangling: a link that leads nowhere, to nowhere",
                    "/sub/folder: a link that leads out of the folder",
                    "/sub/link: a link that leads out of the folder", "/sub/pipe: not a regular file",
                    // Its file is in the folder above.
                    "/sub/inside.csv: a link that leads out of the folder",
                ].sorted())
        #expect(try await tree.names("**/inside.csv") == ["sub/inside.csv"])
        // A link that is named is what the user asked for.
        #expect(try await tree.names("link") == ["link"])
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func linksThatAWildcardFindsAreFollowedOnlyInside(_ way: Way) async throws {
        let tree = try await Tree(way)
        let script =
            "cd \"$0\" && ln -s deep sub/latest && ln -s d.csv sub/newest.csv && ln -s ../../../away sub/deep/way"
        try await Command.runSuccessfully("/bin/sh", ["-c", script, tree.folder])
        let away = "/sub/folder: a link that leads out of the folder"
        #expect(try await tree.names("sub/*") == ["d.csv", "deep/e.csv", "newest.csv"])
        #expect(try await tree.problems("sub/*").contains(away))
        // Its files come by their own names, or else the link is all that was asked for.
        #expect(try await !tree.problems("sub/*").contains { $0.hasPrefix("/sub/latest") })
        #expect(try await tree.problems("sub/l*").contains("/sub/latest: a link to what is no regular file"))
        #expect(try await tree.names("l*").isEmpty)
        #expect(try await tree.problems("l*") == ["/link: a link that leads out of the folder"])
        // On the way: the link is what is refused, and only where there is something behind it.
        #expect(try await tree.names("sub/*/f.txt").isEmpty)
        #expect(try await tree.problems("sub/*/f.txt") == [away])
        #expect(try await tree.problems("s*/folder/*") == [away])
        let inner = ["deep", "latest"].map { "/sub/\($0)/way: a link that leads out of the folder" }
        #expect(try await tree.problems("sub/*/**") == (inner + [away]).sorted())
        #expect(try await tree.problems("sub/*/none").isEmpty)
        #expect(try await tree.names("sub/*/e.csv") == ["deep/e.csv", "latest/e.csv"])
        #expect(try await tree.names("sub/*/**/e.csv") == ["deep/e.csv", "latest/e.csv"])
        #expect(try await tree.names("sub/*/way/f.txt").isEmpty)
        // A folder's own name may be a link, and what is behind it is then the tree.
        #expect(try await tree.names("sub/folder/*") == ["f.txt"])
        #expect(try await tree.names("sub/folder") == ["f.txt"])
        #expect(try await tree.names("/sys/class/net/*/address").contains("lo/address"))
        await tree.target.close()
    }

    /// As in folders of logs.
    @Test(arguments: Way.allCases) func aLinkToADirectoryInsideIsNoProblem(_ way: Way) async throws {
        let tree = try await Tree(way)
        let script = """
            cd "$0" && mkdir -p logs/run3/none logs/run4 && echo 3 >logs/run3/f && echo 4 >logs/run4/f
            ln -s run3 logs/latest && ln -s .. logs/run4/up && ln -s ../run3/none logs/run4/void && ln -s logs to
            ln -s logs/run3 aside
            """
        try await Command.runSuccessfully("/bin/sh", ["-c", script, tree.folder])
        let deep = ["logs", "logs/", "to", "logs/**"]
        for pattern in deep {
            #expect(try await tree.names(pattern) == ["run3/f", "run4/f"], "\(pattern)")
            #expect(try await tree.problems(pattern).isEmpty, "\(pattern)")
        }
        // What leads out of what was asked for, or to what it does not mean, is told.
        let other = "a link to what is no regular file"
        for (pattern, problem) in [
            ("logs/run4", "/logs/run4/up: a link that leads out of the folder"), ("aside*", "/aside: \(other)"),
            ("logs/**/latest", "/logs/latest: \(other)"),
            ("logs/run4/*", "/logs/run4/up: a link that leads out of the folder"),
        ] {
            #expect(try await tree.problems(pattern).contains(problem), "\(pattern)")
        }
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func namesOfAnyBytesAreFound(_ way: Way) async throws {
        let tree = try await Tree(way)
        let script =
            "cd \"$0\" && mkdir n && cd n && : >$(printf 'n\\377\\033.raw') && : >' two  words' && : >'line\nbreak' && : >-rf"
        try await Command.runSuccessfully("/bin/sh", ["-c", script, tree.folder])
        let names = try await tree.expand("n").files.map(\.relative)
        #expect(
            Set(names) == [
                Array("n".utf8) + [0xFF, 0x1B] + Array(".raw".utf8), Array(" two  words".utf8),
                Array("line\nbreak".utf8),
                Array("-rf".utf8),
            ])
        try await Command.runSuccessfully("/bin/rm", ["-r", "\(tree.folder)/n"])
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func aDirectoryWithoutFilesIsNoMissingOne(_ way: Way) async throws {
        let tree = try await Tree(way)
        try await Command.runSuccessfully(
            "/bin/sh",
            ["-c", "cd \"$0\" && mkdir -p empty/none 'many/em  pty' many/-e && ln -s empty/none to", tree.folder])
        for (pattern, emptiness) in [
            ("empty", .folders), ("empty/none", .nothing), ("empty/*", .nothing), ("many", .folders), ("to", .nothing),
            ("many/*", .nothing), ("none", nil), ("none/*", nil), ("empty/none/*", nil), ("sub", nil), ("a.csv", nil),
            ("*", nil), ("empty/**", nil), ("pipe", nil),
        ] as [(String, Expansion.Emptiness?)] {
            // A name that SFTP does not find is an error of its own.
            if pattern == "none", way == .sftp { continue }
            #expect(try await tree.expand(pattern).emptiness == emptiness, "\(pattern)")
        }
        await tree.target.close()
    }

    @Test(arguments: Way.allCases) func tooManyFilesAreNotListed(_ way: Way) async throws {
        let tree = try await Tree(way)
        let cut = try await tree.expand("**/*.csv", most: 2)
        #expect(cut.isCut)
        #expect(cut.files.count == 2)
        await tree.target.close()
    }

    @Test(.enabled("needs root and loop devices") { await CoarseDisk.isAvailable() })
    func aVersionLastsOnlyWhereEveryChangeShows() async throws {
        let tree = try await Tree(.shell)
        let disk = try await CoarseDisk()
        for folder in [tree.folder, disk.path] {
            // In place, so that the inode stays; and both in one second, if the disk knows no parts of it.
            try await Command.runSuccessfully(
                "/bin/sh", ["-c", "printf old >\"$0/rewritten\"; sleep 0.3", folder])
            let first = try #require(try await tree.expand("\(folder)/rewritten").files.first)
            try await Command.runSuccessfully("/bin/sh", ["-c", "printf new >\"$0/rewritten\"; sleep 0.3", folder])
            let second = try #require(try await tree.expand("\(folder)/rewritten").files.first)
            #expect(first.version != nil && (folder == disk.path || first.version != second.version))
            #expect((first.lastingVersion != nil) == (folder == tree.folder))
            #expect(first.lastingVersion == nil || first.lastingVersion != second.lastingVersion)
        }
        let file = try #require(try await tree.expand("a.csv").files.first)
        let boot = try FileSystem.read("/proc/sys/kernel/random/boot_id").prefix(8)
        #expect(file.lastingVersion == "\(String(decoding: boot, as: UTF8.self)):\(try #require(file.version))")
        #expect(try await tree.line.current(file) == file)
        await tree.target.close()
    }

    @Test func whatWasChangedInTheSameTickMayChangeAgain() throws {
        let moment = try #require(ListingMoment("1000.500000000 01234567-89ab"))
        #expect(moment.boot == "01234567")
        for (change, isOver) in [
            ("1000.399999999", true), ("999.000000001", true), ("1000.400000000", false), ("1000.499999999", false),
            // Later than now, a whole second, and no time.
            ("2000.100000000", false), ("900.000000000", false), ("900", false), ("?", false),
        ] {
            #expect(moment.isAfter(change: change[...]) == isOver, "\(change)")
        }
        for line in ["", "1000 01234567", "1000.N 01234567", "1000.500000000", "1000.500000000 0123"] {
            #expect(ListingMoment(line) == nil)
        }
    }

    /// As somebody who may not look everywhere.
    private func withUser(_ body: (TestUser, TransferLine) async throws -> Void) async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(extraLines: ["AuthorizedKeysFile \(user.home)/.ssh/authorized_keys"]))
            try await user.write(
                ".ssh/authorized_keys",
                try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-y", "-f", server.clientKey]).outputText)
            var options = server.options
            options.user = user.name
            let target = try await Target.connect(options)
            try await body(user, try await target.transferLine(isBulk: false))
            await target.close()
        }
    }

    @Test(.enabled(if: TestUser.isAvailable, "needs root"), arguments: [false, true])
    func aFolderThatCannotBeReadIsNamedAndTheOthersCome(_ isBySFTP: Bool) async throws {
        try await withUser { user, line in
            for name in ["a/f", "b/f", "c/f"] { try await user.write("tree/\(name)", name) }
            for name in ["a", "c"] { chmod("\(user.home)/tree/\(name)", 0) }
            for pattern in ["tree", "tree/*", "tree/**"] {
                let glob = GlobPattern(pattern, base: user.home)
                let expansion =
                    isBySFTP
                    ? try await SFTPListing.expand(glob, over: #require(line.sftp), most: 9)
                    : try await ShellListing.expand(glob, over: line, line.tools, most: 9)
                #expect(expansion.files.map { $0.path } == [Array("\(user.home)/tree/b/f".utf8)])
                #expect(
                    expansion.problems
                        == ["a", "c"].map {
                            PullProblem(path: Array("\(user.home)/tree/\($0)".utf8), reason: "permission denied")
                        })
            }
        }
    }

    /// Wherever relative names begin.
    @Test(.enabled(if: TestUser.isAvailable, "needs root")) func aTildeIsTheLoginFolder() async throws {
        try await withUser { user, line in
            try await user.write("d/f", "x")
            for (pattern, name) in [("~/d/f", "f"), ("~//d/*", "f"), ("~/d", "f"), ("~/**/f", "d/f"), ("~", "d/f")] {
                let found = try await line.expand(pattern, base: "/tmp").files
                #expect(found.map(\.relative).contains(Array(name.utf8)), "\(pattern)")
                #expect(found.allSatisfy { $0.path.starts(with: "\(user.home)/".utf8) })
            }
            for pattern in ["./~/d/f", #"\~/d/f"#, "~d/f", "d/~"] {
                #expect(try await line.expand(pattern, base: user.home).files.isEmpty, "\(pattern)")
            }
        }
    }

    /// Its names can be read, and nothing can be looked at.
    @Test(.enabled(if: TestUser.isAvailable, "needs root"), arguments: Way.allCases)
    func whatCannotBeLookedAtIsNamed(_ way: Way) async throws {
        try await withUser { user, line in
            for name in ["a/f", "b/f"] { try await user.write("tree/\(name)", name) }
            chmod("\(user.home)/tree/a", 0o444)
            let pattern = GlobPattern("tree", base: user.home)
            var tools = line.tools
            if way == .withoutStat { tools.status = .missing }
            let expansion =
                way == .sftp
                ? try await SFTPListing.expand(pattern, over: #require(line.sftp), most: 9)
                : try await ShellListing.expand(pattern, over: line, tools, most: 9)
            #expect(expansion.files.map(\.path) == [Array("\(user.home)/tree/b/f".utf8)])
            let denied = way == .sftp ? "tree/a" : "tree/a/f"
            #expect(
                expansion.problems
                    == [PullProblem(path: Array("\(user.home)/\(denied)".utf8), reason: "permission denied")])
        }
    }

    /// Thousands of complaints, each of them a name.
    @Test(.enabled(if: TestUser.isAvailable, "needs root"))
    func everyFolderThatCannotBeReadIsNamed() async throws {
        try await withUser { user, line in
            try await user.write("tree/f", "x")
            try await Command.runSuccessfully(
                "/bin/sh", ["-c", "cd \"$0\" && seq 1000 | xargs mkdir -m 0", "\(user.home)/tree"])
            let expansion = try await line.expand("tree", base: nil)
            #expect(expansion.files.count == 1)
            #expect(expansion.problems.count == 1000)
            #expect(expansion.problems.allSatisfy { $0.reason == "permission denied" })
        }
    }

    @Test func complaintsWithoutEndAreSaidToBeMore() async throws {
        let complain =
            #"awk 'BEGIN { for (i = 0; i < 30000; i++) printf "find: \047/%08d/some/where\047: Permission denied\n", i }' >&2"#
        let tree = try await Tree(.shell, with: ["find": "\(complain); exec \"$real\" \"$@\""])
        let expansion = try await tree.expand("sub/deep")
        #expect(expansion.files.count == 1)
        #expect(expansion.problems.count == 10_001)
        #expect(expansion.problems.dropLast().allSatisfy { $0.path.count == 20 })
        let last = try #require(expansion.problems.last)
        #expect(last.path == Array("\(tree.folder)/sub/deep".utf8))
        #expect(last.reason.hasPrefix("the target complained of more than is kept: more of it may be missing; "))
        await tree.target.close()
    }

    // MARK: Programs that fail

    /// Each says less than there is, as one that is killed for want of memory does.
    @Test(
        arguments: [
            (.shell, "find", #""$real" "$@" | head -c 200; kill -9 $$"#), (.shell, "find", "exit 127"),
            (
                .shell, "xargs",
                #"case $* in *print0*) "$real" "$@" | head -c 200; kill -9 $$;; *) exec "$real" "$@";; esac"#
            ),
            (
                .shell, "xargs",
                #"case $* in *ecr_s*) "$real" "$@" | head -c 200; kill -9 $$;; *) exec "$real" "$@";; esac"#
            ),
            (
                .shell, "sh",
                #"case $2 in *print0*) "$real" "$@" | head -c 200; kill -9 $$;; *) exec "$real" "$@";; esac"#
            ),
            (
                .shell, "sh",
                #"case $2 in *ecr_s*) "$real" "$@" | head -c 200; kill -9 $$;; *) exec "$real" "$@";; esac"#
            ),
            // A shell that cannot fork: `xargs` goes on with the other names.
            (.shell, "sh", #"case $2 in *ecr_s*) exit 2;; *) exec "$real" "$@";; esac"#),
            (.shell, "stat", #"[ $# -lt 5 ] && exec "$real" "$@"; "$real" "$@" | head -c 200; kill -9 $$"#),
            (.withoutStat, "ls", #"case $* in *d.csv*) kill -9 $$;; *) exec "$real" "$@";; esac"#),
            (.withoutStat, "date", #"case $* in *d.csv*) kill -9 $$;; *) exec "$real" "$@";; esac"#),
            (.shell, "readlink", #"[ "$1" != -f ] || kill -9 $$; exec "$real" "$@""#),
        ] as [(Way, String, String)])
    func aListingThatIsCutOffIsNotTakenForTheWhole(_ way: Way, program: String, script: String) async throws {
        let tree = try await Tree(way, with: [program: script])
        for pattern in ["\(tree.folder)/**/*.csv", "sub", "s*/*"] {
            let failure = await #expect(throws: TransferFailure.self, "\(pattern)") { try await tree.expand(pattern) }
            #expect(failure?.reason.contains("listing was cut off") == true)
        }
        await tree.target.close()
    }

    /// One of several batches of names, with good ones behind it.
    @Test func aBatchThatIsLostIsNotLeftOut() async throws {
        let tree = try await Tree(
            .shell,
            with: [
                "xargs": #"[ "$1" != -0 ] || shift; exec "$real" -0 -n 3 "$@""#,
                "sh": #"case $*'' in *ecr_s*/sub/*) exit 2;; *) exec "$real" "$@";; esac"#,
            ])
        #expect(try await tree.names("*.csv") == ["a.csv", "b.csv"])
        let failure = await #expect(throws: TransferFailure.self) { try await tree.expand("**/*.csv") }
        #expect(failure?.reason.contains("listing was cut off") == true)
        await tree.target.close()
    }

    /// `find` says by its status that something was wrong, and by a line what.
    @Test func whatFindCannotLookIntoIsNamedAndTheOthersCome() async throws {
        let complaint = "find: '/some/where': Permission denied"
        let tree = try await Tree(
            .shell, with: ["find": #""$real" "$@"; echo "\#(complaint)" >&2; exit 1"#])
        let expansion = try await tree.expand("*.csv")
        #expect(expansion.files.map(\.relative) == ["a.csv", "b.csv"].map { Array($0.utf8) })
        #expect(expansion.problems == [PullProblem(path: Array("/some/where".utf8), reason: "permission denied")])
        await tree.target.close()
    }

    @Test(arguments: Shells.all) func everyShellListsTheSame(_ shell: [String]) async throws {
        let tree = try await Tree(.shell, with: ["sh": "exec \(shell.joined(separator: " ")) \"$@\""])
        #expect(
            try await tree.names("**/*.csv") == ["a.csv", "b.csv", "sub/d.csv", "sub/deep/e.csv", "sub/inside.csv"])
        #expect(try await tree.names("s*/*/e.csv") == ["sub/deep/e.csv"])
        try await expectBrackets(in: tree)
        #expect(try await tree.names("*.none").isEmpty)
        #expect(try await tree.problems("sub/*/f.txt") == ["/sub/folder: a link that leads out of the folder"])
        #expect(try await tree.expand("a.csv").files.first?.size == 5)
        await tree.target.close()
    }

    // MARK: Much of it

    /// More than the channel's buffers take, both ways.
    @Test func manyLinksWithLongPathsAreResolved() async throws {
        let tree = try await Tree(.shell)
        let long = (0..<14).map { _ in String(repeating: "d", count: 250) }.joined(separator: "/")
        try tree.server.scratch.write("tree/\(long)/file", "x")
        let script = """
            cd "$0"; for d in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do cd d*; done
            i=0; while [ $i -lt 900 ]; do ln -s file "link$i"; i=$((i+1)); done
            """
        try await Command.runSuccessfully("/bin/sh", ["-c", script, tree.folder])
        let expansion = try await tree.expand("d*", most: 2000)
        #expect(expansion.files.count == 901 && expansion.problems.isEmpty)
        await tree.target.close()
    }

    /// A target can have any number of them, and this machine's memory has an end.
    @Test(arguments: [Way.shell, .sftp]) func problemsAndLinksWithoutEndAreOnlyCounted(_ way: Way) async throws {
        let tree = try await Tree(way)
        let script = "cd \"$0\" && mkdir many && cd many && seq 10007 | xargs mkfifo && echo x >file"
        try await Command.runSuccessfully("/bin/sh", ["-c", script, tree.folder])
        let expansion = try await tree.expand("many", most: 2)
        #expect(expansion.files.map(\.relative) == [Array("file".utf8)] && !expansion.isCut)
        #expect(expansion.problems.count == 10_001)
        #expect(
            expansion.problems.last
                == PullProblem(path: Array("\(tree.folder)/many".utf8), reason: "7 more names in it cannot come"))
        if way != .sftp {
            let links = GlobPattern("sub", base: tree.folder)
            let all = try await ShellListing.expand(links, over: tree.line, tree.line.tools, most: 9, mostLinks: 4)
            #expect(all.problems.count == 5)
            let failure = await #expect(throws: TransferFailure.self) {
                try await ShellListing.expand(links, over: tree.line, tree.line.tools, most: 9, mostLinks: 3)
            }
            #expect(failure?.reason == "more than 3 links; ask for the folders in it one by one")
        }
        await tree.target.close()
    }

    @Test func whatTheTargetNamesTwiceIsOneFile() async throws {
        let tree = try await Tree(.shell, with: ["find": #""$real" "$@"; exec "$real" "$@""#])
        #expect(try await tree.names("*.csv") == ["a.csv", "b.csv"])
        await tree.target.close()
    }

    /// As deep as the target's system bears.
    @Test(arguments: Way.allCases) func directoriesMayBeDeepUntilTheirPathsAreTooLong(_ way: Way) async throws {
        let tree = try await Tree(way)
        let deep = (0..<200).map { _ in "d" }.joined(separator: "/")
        try tree.server.scratch.write("tree/deeper/\(deep)/file", "x")
        #expect(try await tree.names("deeper") == ["\(deep)/file"])
        #expect(try await tree.names("deeper/**/file") == ["\(deep)/file"])
        let name = String(repeating: "l", count: 250)
        let script =
            "cd \"$0\" && mkdir long && cd long; for i in $(seq 20); do mkdir \"$1\" && cd \"$1\"; done; echo x >file"
        try await Command.runSuccessfully("/bin/bash", ["-c", script, tree.folder, name])
        #expect(try await tree.names("long").isEmpty)
        let problems = try await tree.problems("long")
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("/long/\(name)/\(name)/") && problems[0].hasSuffix(": file name too long"))
        try await Command.runSuccessfully("/bin/rm", ["-r", "\(tree.folder)/long"])
        await tree.target.close()
    }

    /// Where nothing more is wanted, nothing more is listed.
    @Test(arguments: Way.allCases) func aListingEndsWhereItIsCut(_ way: Way) async throws {
        let tree = try await Tree(way)
        for name in ["a/f", "b/f", "z/f"] { try tree.server.scratch.write("tree/many/\(name)", name) }
        try await Command.runSuccessfully("/bin/ln", ["-s", "nowhere", "\(tree.folder)/many/z/link"])
        let cut = try await tree.expand("many/*/*", most: 1)
        #expect(cut.isCut && cut.files.count == 1)
        #expect(way != .sftp || cut.problems.isEmpty)
        await tree.target.close()
    }

    @Test func aDirectoryThatIsTooLargeIsSaidSo() async throws {
        let tree = try await Tree(.sftp)
        let sftp = try #require(tree.line.sftp)
        #expect(try await sftp.list(Array(tree.folder.utf8)).count > 3)
        let error = await #expect(throws: SSHError.self) { try await sftp.list(Array(tree.folder.utf8), most: 3) }
        #expect(error?.code == .protocolViolation)
        await tree.target.close()
    }

    @Test func theUsersOwnPatternCannotRunAnything() async throws {
        let tree = try await Tree(.shell)
        // A slash would end a component: what runs would do so in the login folder, as this does.
        let name = "ecr-test-\(Host.randomHex(12))"
        let trace = "\(tree.line.tools.home)/\(name)"
        let touch = "touch \(name)"
        #expect(try await tree.line.run(Array(touch.utf8)).hasSucceeded)
        #expect(unlink(trace) == 0)
        for pattern in [
            "$(\(touch))", "`\(touch)`*", "a;\(touch);*", "[$(\(touch))]*", "[!`\(touch)`]*", "[[:$(\(touch)):]]*",
            "'$(\(touch))'*", "\"$(\(touch))\"*", #"[\$(\#(touch))]*"#, "a\n\(touch)\n*", "**/$(\(touch))",
            "*\n\(touch)",
        ] {
            #expect(try await tree.names(pattern).isEmpty || pattern.hasPrefix("["))
            #expect(!FileSystem.exists(trace), "\(pattern)")
        }
        await tree.target.close()
    }
}
