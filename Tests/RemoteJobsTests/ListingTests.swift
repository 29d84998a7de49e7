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

        init(_ way: Way) async throws {
            self.way = way
            server = try await SSHServer.start()
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
        #expect(try await tree.problems("sub/*").contains("/sub/latest: a link to what is no regular file"))
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

    @Test(.enabled(if: TestUser.isAvailable, "needs root"), arguments: [false, true])
    func aFolderThatCannotBeReadIsNamedAndTheOthersCome(_ isBySFTP: Bool) async throws {
        try await TestUser.with { user in
            let server = try await SSHServer.start(
                .init(extraLines: ["AuthorizedKeysFile \(user.home)/.ssh/authorized_keys"]))
            try await user.write(
                ".ssh/authorized_keys",
                try await Command.runSuccessfully("/usr/bin/ssh-keygen", ["-y", "-f", server.clientKey]).outputText)
            for name in ["a/f", "b/f", "c/f"] { try await user.write("tree/\(name)", name) }
            for name in ["a", "c"] { chmod("\(user.home)/tree/\(name)", 0) }
            var options = server.options
            options.user = user.name
            let target = try await Target.connect(options)
            let line = try await target.transferLine(isBulk: false)
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
            await target.close()
        }
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

    @Test func whatTheTargetNamesTwiceIsOneFile() async throws {
        let scratch = try ScratchDirectory()
        let find = try #require(Command.find("find"))
        try scratch.write("bin/find", "#!/bin/sh\n\(find) \"$@\"; exec \(find) \"$@\"\n", mode: 0o755)
        let server = try await SSHServer.start(
            .init(extraLines: ["SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"]))
        for name in ["a", "b"] { try server.scratch.write("tree/\(name)", name) }
        let target = try await Target.connect(server.options)
        let line = try await target.transferLine(isBulk: false)
        let expansion = try await line.expand(server.scratch.path("tree"), base: nil)
        #expect(expansion.files.map(\.relative) == [Array("a".utf8), Array("b".utf8)])
        await target.close()
    }

    @Test func aDirectoryThatIsTooDeepOrTooLargeIsSaidSo() async throws {
        let tree = try await Tree(.sftp)
        let deep = (0..<40).map { _ in "d" }.joined(separator: "/")
        try tree.server.scratch.write("tree/deep/\(deep)/file", "x")
        let problems = try await tree.problems("deep")
        #expect(problems.count == 1 && problems[0].hasSuffix("/d: more than 32 directories deep"), "\(problems)")
        let sftp = try #require(tree.line.sftp)
        #expect(try await sftp.list(Array(tree.folder.utf8)).count > 3)
        let error = await #expect(throws: SSHError.self) { try await sftp.list(Array(tree.folder.utf8), most: 3) }
        #expect(error?.code == .protocolViolation)
        await tree.target.close()
    }

    @Test func theUsersOwnPatternCannotRunAnything() async throws {
        let tree = try await Tree(.shell)
        for pattern in [
            "$(touch pwned)", "`touch pwned`*", "a;touch pwned;*", "[$(touch pwned)]*", "'*'\"x\"", "a\nb*",
        ] {
            _ = try await tree.names(pattern)
        }
        #expect(!FileSystem.exists("\(tree.folder)/pwned"))
        await tree.target.close()
    }
}
