import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@Suite struct DeletionTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    private var runs: RunsDirectory { RunsDirectory(path: ecr.scratch.path("runs")) }
    private func left() throws -> [String] { try FileSystem.list(runs.path).filter { $0 != ".current" } }

    private func completed(_ name: String) async throws -> RunDirectory {
        let run = try await ecr.create("--name", name)
        try ecr.append(to: run, [(.runStarted, [:]), (.runCompleted, [:])])
        return run
    }

    @Test func namedRunsGo() async throws {
        let (one, two, three) = (
            try await completed("one"), try await ecr.create("--name", "two"), try await completed("three")
        )
        let result = try await ecr("run", "delete", "--yes", one.id, two.id, "latest~2")
        #expect(result.status == 0 && result.outputText == "\(one.id)\n\(two.id)\n")
        #expect(try left() == [three.id])
        #expect(runs.current() == three)
        let json = try await ecr("run", "delete", "--yes", "latest", "--json").json()
        #expect(json["runs"]?.array?.map { $0["run"]?.string } == [three.id])
        #expect(json["bytes"]?.int ?? 0 > 0)
        #expect(try FileSystem.list(runs.path) == [])
    }

    @Test func contentWithSeveralNamesCountsOnce() async throws {
        let (one, two) = (try await completed("one"), try await completed("two"))
        let content = try ecr.scratch.write("big", String(repeating: "x", count: 1_000_000))
        for name in ["\(one.path)/a", "\(one.path)/b", "\(two.path)/a"] { #expect(link(content, name) == 0) }
        let dry = try await ecr("run", "prune", "--keep", "0", "--dry-run", "--json").json()
        let sizes = dry["runs"]?.array?.compactMap { $0["bytes"]?.int } ?? []
        #expect(sizes.count == 2 && sizes.allSatisfy { (1_000_000..<1_500_000).contains($0) })
        #expect((1_000_000..<1_500_000).contains(dry["bytes"]?.int ?? 0))
    }

    @Test func nothingGoesUnlessAllMay() async throws {
        let one = try await completed("one")
        let two = try await ecr.create("--name", "two")
        for arguments in [[one.id, "nope"], [one.id, "--force"], []] {
            #expect(try await ecr.run(["run", "delete"] + arguments, environment: ["ECR_RUN": two.id]).status != 0)
        }
        let unasked = try await ecr("run", "delete", one.id, "--no-input")
        #expect(unasked.status == 64)
        #expect(unasked.errorText.contains("error: nobody can be asked: delete 1 run, "))
        #expect(unasked.errorText.hasSuffix("  try: --yes\n"))
        try ecr.append(to: two, [(.runStarted, ["spool": "/var/tmp/ecr-0/abc"])])
        let interrupted = try await ecr("run", "delete", "--yes", one.id, two.id)
        #expect(interrupted.status == 64)
        #expect(
            interrupted.errorText.contains("is interrupted") && interrupted.errorText.contains("/var/tmp/ecr-0/abc"))
        #expect(try left() == [one.id, two.id])
        #expect(try await ecr("run", "delete", "--yes", "--force", one.id, two.id).status == 0)
        #expect(try left() == [])
    }

    @Test func aLiveRunStays() async throws {
        let run = try await ecr.create()
        let supervisor = try FakeSupervisor(run)
        defer { supervisor.stop() }
        for options in [["--yes"], ["--yes", "--force"]] {
            let result = try await ecr.run(["run", "delete", run.id] + options)
            #expect(result.status == 64)
            #expect(
                result.errorText
                    == "error: run \(run.id) is live\n  try: ecr run complete --run \(run.id), or ecr run abort --run \(run.id)\n"
            )
        }
        #expect(try await ecr("run", "prune", "--keep", "0", "--yes").status == 0)
        #expect(try left() == [run.id])
    }

    @Test func aDamagedRunGoesByForce() async throws {
        let run = try await ecr.create()
        try FileSystem.replace(run.events, with: Array("{}\n{}\n".utf8))
        try FileSystem.replace(run.manifest, with: [])
        #expect(try await ecr("run", "delete", "--yes", run.id).errorText.contains("is damaged"))
        #expect(try await ecr("run", "prune", "--keep", "0", "--yes").status == 0)
        #expect(try await ecr("run", "delete", "--yes", "--force", run.id).outputText == "\(run.id)\n")
    }

    @Test func aLinkInTheRunIsNotFollowed() async throws {
        let run = try await completed("one")
        let outside = try ecr.scratch.write("outside/file", "keep")
        #expect(symlink(ecr.scratch.path("outside"), run.path + "/link") == 0)
        #expect(try await ecr("run", "delete", "--yes", run.id).status == 0)
        #expect(try String(decoding: FileSystem.read(outside), as: UTF8.self) == "keep")
    }

    @Test func thePersonAtTheTerminalDecides() async throws {
        let script = try #require(Command.find("script"))
        let run = try await completed("one")
        func answer(_ text: String) async throws -> CommandResult {
            let typist = try RunningCommand(
                script, ["-qec", "'\(try BuiltProducts.ecr())' run delete latest", "/dev/null"],
                environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil, "TERM": "xterm"], hasInput: true,
                workingDirectory: ecr.scratch.path)
            try await typist.waitForOutput("[y/N] ")
            typist.write(Array(text.utf8))
            return try await typist.wait()
        }
        let no = try await answer("n\n")
        #expect(no.status == 130 && no.outputText.contains("nothing was changed"))
        #expect(try left() == [run.id])
        #expect(try await answer("y\n").status == 0)
        #expect(try left() == [])
    }

    @Test func pruneKeepsTheNewestOfThoseThatAreOver() async throws {
        let old = try await completed("old")
        let created = try await ecr.create("--name", "created")
        let middle = try await completed("middle")
        let new = try await completed("new")
        let dry = try await ecr("run", "prune", "--keep", "1", "--dry-run")
        #expect(
            dry.outputText.split(separator: "\n").map { $0.prefix { $0 != " " } } == [
                "RUN", old.id[...], middle.id[...],
            ])
        #expect(dry.errorText.hasPrefix("would delete 2 runs, "))
        #expect(try left().count == 4)
        #expect(try await ecr("run", "prune", "--keep", "2", "--yes").outputText == "\(old.id)\n")
        #expect(try await ecr("run", "prune", "--keep", "1").status == 64)
        #expect(try left() == [created.id, middle.id, new.id])
        let none = try await ecr("run", "prune", "--keep", "2", "--yes", "--json")
        #expect(try none.json() == ["runs": [], "bytes": 0])
        #expect(try await ecr("run", "prune", "--keep", "-1").status == 64)
        #expect(try await ecr("run", "prune").status == 64)
    }

    @Test func pruneOfWhatIsExported() async throws {
        let run = try await completed("one")
        #expect(try await ecr("run", "prune", "--keep", "0", "--exported", "--yes").outputText == "")
        #expect(try await ecr("run", "export", "-o", "a.zip").status == 0)
        // What was added after the export is in no dataset.
        #expect(try await ecr("note", "late").status == 0)
        #expect(try await ecr("run", "prune", "--keep", "0", "--exported", "--yes").outputText == "")
        #expect(try await ecr("run", "export", "-o", "b.zip").status == 0)
        #expect(try await ecr("run", "prune", "--keep", "0", "--exported", "--yes").outputText == "\(run.id)\n")
    }

    @Test func whatAnInterruptedDeletionLeftIsRemoved() async throws {
        let run = try await completed("one")
        try ecr.scratch.write("runs/.deleted-x-1/logs/file", "x")
        #expect(runs.runs() == [run])
        #expect(try await ecr("run", "delete", "--yes", run.id).status == 0)
        #expect(try FileSystem.list(runs.path) == [])
    }
}
