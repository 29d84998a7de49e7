import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What a pull and a push say while they go on: lines of JSON for a program, one line that is drawn over on a terminal, a
/// line for each file in a log.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TransferTellingTests {
    /// Files of which no two are the same: many go in an archive, few one by one.
    private struct Tree {
        let path: String
        let sizes: [String: Int64]
        var bytes: Int64 { sizes.values.reduce(0, +) }

        init(_ name: String, small count: Int, _ fixture: RunFixture) async throws {
            path = fixture.scratch.path(name)
            var sizes: [String: Int64] = ["big": 2_000_000]
            for number in 1...count { sizes["s\(number)"] = 50_000 + Int64(number) }
            try FileSystem.makeDirectory(path)
            for (file, size) in sizes {
                try await Command.runSuccessfully(
                    "/bin/sh", ["-c", "head -c \(size) /dev/urandom >\"$0\"", "\(path)/\(file)"])
            }
            self.sizes = sizes
        }
    }

    /// A run over a link on which a tree takes at least two seconds.
    private func withSlowLink(_ body: (RunFixture, FlakyLink, RunDirectory) async throws -> Void) async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let run = try await bench.start()
            let link = try #require(bench.link)
            link.throttle(1_000_000)
            try await body(bench.fixture, link, run)
        }
    }

    /// - Returns: the last line.
    private func checkLines(_ result: CommandResult, of tree: Tree, isUpload: Bool) throws -> JSON {
        let lines = try result.outputText.split(separator: "\n").map { try JSON(parsing: String($0)) }
        let end = try #require(lines.last)
        #expect(end["transferring"] == nil && end["transferred"] == nil && end["failed"] == [] && end["exit_code"] == 0)
        let before = lines.dropLast()
        #expect(before.allSatisfy { $0.object?.members.count == 1 })
        let moving = before.compactMap { $0["transferring"] }
        let come = before.compactMap { $0["transferred"] }
        #expect(moving.count + come.count == before.count)

        var last: Int64 = 0
        for news in moving {
            let bytes = try #require(news["bytes"]?.int)
            #expect(bytes >= last && bytes <= tree.bytes, "\(moving)")
            last = bytes
            #expect(news["all_bytes"]?.int == tree.bytes && news["all_files"]?.int == Int64(tree.sizes.count))
            #expect(news["files"]?.int ?? .max <= tree.sizes.count && news["upload"]?.bool == (isUpload ? true : nil))
            if let name = news["name"]?.string {
                #expect(news["size"]?.int == tree.sizes[name] && news["done"]?.int ?? .max <= tree.sizes[name] ?? 0)
            }
        }
        let isNamed = moving.contains { $0["name"] == "big" && $0["done"]?.int ?? 0 > 0 }
        #expect(isNamed == (tree.sizes.count < 4), "\(moving)")
        // It is known once some time has gone by.
        let rates = moving.compactMap { $0["bytes_per_s"]?.int }
        #expect(!rates.isEmpty && rates.allSatisfy { $0 > 0 }, "\(moving)")

        let sizes = come.map { (FileSystem.name(of: $0["path"]?.string ?? ""), $0["size"]?.int ?? -1) }
        #expect(Dictionary(sizes) { first, _ in first } == tree.sizes && come.count == tree.sizes.count)
        return end
    }

    @Test func jsonTellsHowFarItIsAndWhatHasCome() async throws {
        try await withSlowLink { fixture, link, run in
            let tree = try await Tree("few", small: 2, fixture)
            let pull = try await fixture.expect(0, "run", "pull", "--json", tree.path)
            let pulled = try checkLines(pull, of: tree, isUpload: false)["pulled"]?.array?.compactMap(\.string) ?? []
            let recorded = try run.events(.artifactPulled).compactMap { $0.data["path"]?.string }
            #expect(pulled.count == 3 && Set(pulled) == Set(recorded))
            #expect(pull.errorText == "3 files fetched\n")

            let many = try await Tree("many", small: 6, fixture)
            let push = try await fixture.expect(0, "run", "push", "--json", "many", fixture.scratch.path("there"))
            let pushed = try checkLines(push, of: many, isUpload: true)["uploaded"]
            #expect(pushed == ["files": 7, "bytes": .int(many.bytes), "unchanged": 0, "permissions_set": 0])

            // What fails is told as JSON, too.
            let none = try await fixture.expect(1, "run", "pull", "--json", "\(tree.path)/none")
            let failed = try none.json()["failed"]?.array
            #expect(
                failed?.first?["remote"]?.string == "\(tree.path)/none" && failed?.first?["reason"] == "no such file")
        }
    }

    /// What is drawn over, piece by piece.
    private func drawn(_ result: CommandResult) -> [String] {
        result.outputText.replacing("\u{1B}[K", with: "").split(separator: "\r").map(String.init)
    }

    @Test(.enabled(if: Command.find("script") != nil)) func aTerminalShowsOneLineThatIsTakenAway() async throws {
        try await withSlowLink { fixture, link, _ in
            let tree = try await Tree("few", small: 2, fixture)
            func onTerminal(_ words: String) async throws -> CommandResult {
                try await Command.run(
                    try #require(Command.find("script")),
                    ["-qefc", "'\(try BuiltProducts.ecr())' \(words)", "/dev/null"],
                    environment: RunFixture.settings.merging(["NO_COLOR": "1"]) { $1 },
                    workingDirectory: fixture.scratch.path)
            }
            let pull = try await onTerminal("run pull '\(tree.path)'")
            #expect(pull.status == 0)
            let file = #/fetching  \d of 3 files, \d+ % of 2\.0 MiB, [0-9.]+ [KM]iB/s, \d+:\d\d left, big \d+ %/#
            #expect(drawn(pull).contains { $0.wholeMatch(of: file) != nil }, "\(pull.outputText)")
            // The line is taken away before the results stand there, and does not come again.
            let parts = pull.outputText.split(separator: "fetching  ", omittingEmptySubsequences: false)
            let tail = try #require(parts.last)
            let cleared = try #require(tail.firstRange(of: "\r\u{1B}[K/")?.lowerBound, "\(tail)")
            #expect(!tail[..<cleared].contains("\n"))
            #expect(tail.contains("/artifacts/pulled/0001/big\r\n") && tail.hasSuffix("3 files fetched\r\n"))

            let push = try await onTerminal("run push few/big '\(fixture.scratch.path)/sent'")
            #expect(push.status == 0)
            let one = #/sending big  \d+ % of 1\.9 MiB, [0-9.]+ [KM]iB/s, \d+:\d\d left/#
            #expect(drawn(push).contains { $0.wholeMatch(of: one) != nil }, "\(push.outputText)")
            #expect(push.outputText.hasSuffix("\r\u{1B}[K1 file on the target, 1.9 MiB\r\n"), "\(push.outputText)")

            link.throttle(nil)
            let other = try await Tree("other", small: 2, fixture)
            let log = try await fixture.expect(0, "run", "pull", other.path)
            let lines = log.errorText.split(separator: "\n").map(String.init).sorted()
            let small = (1...2).map { "artifacts/pulled/0002/s\($0)  48.8 KiB" }
            #expect(lines == (["3 files fetched", "artifacts/pulled/0002/big  1.9 MiB"] + small).sorted())
            #expect(!log.errorText.contains("\u{1B}") && !log.errorText.contains("\r"))
            #expect(log.outputText.split(separator: "\n").count == 3)
        }
    }
}
