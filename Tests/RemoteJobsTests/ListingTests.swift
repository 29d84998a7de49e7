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
                    "/sub/dangling: a link that leads nowhere", "/sub/folder: a link that leads out of the folder",
                    "/sub/link: a link that leads out of the folder", "/sub/pipe: not a regular file",
                    // Its file is in the folder above.
                    "/sub/inside.csv: a link that leads out of the folder",
                ].sorted())
        #expect(try await tree.names("**/inside.csv") == ["sub/inside.csv"])
        // A link that is named is what the user asked for.
        #expect(try await tree.names("link") == ["link"])
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

    @Test(arguments: Way.allCases) func tooManyFilesAreNotListed(_ way: Way) async throws {
        let tree = try await Tree(way)
        let cut = try await tree.expand("**/*.csv", most: 2)
        #expect(cut.isCut)
        #expect(cut.files.count == 2)
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
