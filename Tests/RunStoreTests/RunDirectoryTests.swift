import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@Suite struct RunDirectoryTests {
    private let scratch: ScratchDirectory
    private let runs: RunsDirectory

    init() throws {
        scratch = try ScratchDirectory()
        runs = RunsDirectory(path: scratch.path("runs"))
    }

    private func make(_ name: String, shortID: String = "abcd") throws -> RunDirectory {
        let run = try runs.makeRun(name: name)
        try append(to: run, [(.runCreated, ["short_id": .string(shortID), "name": .string(name), "uuid": "u"])])
        return run
    }

    private func append(to run: RunDirectory, _ events: [(EventType, JSONObject)]) throws {
        let writer = try EventWriter(path: run.events)
        defer { writer.close() }
        for (type, data) in events { try writer.appendBlocking(type, data) }
    }

    /// A run with a name that the test chooses.
    private func place(_ id: String, shortID: String = "zzzz") throws {
        let path = runs.path + "/" + id
        try FileSystem.makeDirectories(path)
        try append(to: RunDirectory(path: path), [(.runCreated, ["short_id": .string(shortID)])])
    }

    @Test func theManifestIsTheState() throws {
        let run = try make("a")
        try append(
            to: run,
            [
                (.runStarted, ["spool": "/s"]),
                (.actionStarted, ["action": "x", "job": "0001-x", "invocation": "exec"]),
                (.actionFailed, ["job": "0001-x", "exit": 2, "duration_s": 0.5]), (.runInterrupted, [:]),
                (.collectorStarted, ["collector": "c", "job": "0002-c"]),
                (
                    .collectorOutput,
                    [
                        "job": "0002-c", "offset": 0, "length": 9, "table_bytes": 40, "skipped": [[1, 2]],
                        "rows": [["tick": 0, "boottime_s": 1.5, "time": "2026-01-27T14:30:52.000000Z"]],
                    ]
                ),
                (.collectorGap, ["job": "0002-c", "samples": 2, "first_tick": 3, "last_tick": 4]),
                (.targetRebooted, ["boot_id": "b"]),
                (.artifactPulled, ["job": "0001-x", "path": "artifacts/0001-x/a", "size": 1]),
                (.artifactPulled, ["job": "0001-x", "path": "artifacts/0001-x/b\n\"", "size": 2]),
                (.uploaded, ["job": "0001-x", "remote": "/m", "size": 3]),
                (.ledger, ["complete_percent": 99.5, "missing": ["x"]]),
            ])
        let folded = try run.state()
        try run.save(folded)
        let read = try run.state()
        #expect(read.json(id: run.id) == folded.json(id: run.id))
        #expect(read.job("0001-x")?.kind == .exec)
        #expect(read.artifacts.map { $0["size"]?.int } == [1, 2])
        #expect(read.uploads == folded.uploads && read.uploads.count == 1)
        let manifest = try JSON(parsing: try FileSystem.read(run.manifest))
        #expect(manifest == folded.json(id: run.id))
        #expect(read.isInterruptionRecorded)
        #expect(read.gaps.count == 1 && read.reboots.count == 1)
        #expect(read.job("0002-c")?.sampling == folded.job("0002-c")?.sampling)
        #expect(read.job("0002-c")?.sampling.nextTick == 5)
    }

    @Test func eventsThatTheManifestKnowsMustBeThere() throws {
        let run = try make("a")
        try append(to: run, [(.note, ["text": "one"]), (.note, ["text": "two"])])
        try run.save(try run.state())
        let bytes = try FileSystem.read(run.events)
        let end = try #require(bytes.dropLast().lastIndex(of: 0x0A))
        try FileSystem.replace(run.events, with: Array(bytes[...end]))
        let error = #expect(throws: EventLogError.self) { try run.state() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("the end is missing") == true)
    }

    @Test func aCheckedStateLooksInFrontOfTheManifest() throws {
        let run = try make("a")
        try append(to: run, [(.note, ["text": "one"]), (.note, ["text": "two"])])
        try run.save(try run.state())
        #expect(try run.checkedState() == run.state())
        let text = String(decoding: try FileSystem.read(run.events), as: UTF8.self)
        try FileSystem.replace(run.events, with: Array(text.replacing("one", with: "0ne").utf8))
        #expect(try run.state().notes == 2)
        let error = #expect(throws: EventLogError.self) { try run.checkedState() }
        #expect(error?.message.contains("line 3:") == true)
    }

    @Test func onlyTheTailBehindTheManifestIsFolded() throws {
        let run = try make("a")
        try run.save(try run.state())
        try append(to: run, [(.note, [:])])
        #expect(try run.state().notes == 1)
        #expect(try run.state().checkpoint.seq == 2)
    }

    @Test(arguments: ["", "garbage", "{}", #"{"format":2}"#])
    func aManifestThatIsNoneIsIgnored(_ text: String) throws {
        let run = try make("a")
        try FileSystem.replace(run.manifest, with: Array(text.utf8))
        #expect(try run.state().shortID == "abcd")
    }

    /// Damage that leaves the rest of the manifest as it should be.
    @Test(arguments: [
        ("\"size\":12", "\"size\":1x"), ("\"path\":", "\"path\""), ("\"artifacts/a\"", "\"artifacts/a"),
        ("{\"path\":\"artifacts/a\",\"size\":12}", "7"), ("\"artifacts\": [", "\"artifacts\": {}, \"x\": ["),
        ("\"size\":12", "\"path\":12"),
    ])
    func aDamagedLineOfAnArtifactMakesTheManifestNone(_ change: (old: String, new: String)) throws {
        let run = try make("a")
        try append(
            to: run,
            [
                (.artifactPulled, ["path": "artifacts/a", "size": 12]),
                (.artifactPulled, ["path": "artifacts/b", "size": 13]),
            ])
        let whole = try run.state()
        try run.save(whole)
        let text = String(decoding: try FileSystem.read(run.manifest), as: UTF8.self)
        let damaged = text.replacing(change.old, with: change.new)
        try #require(damaged != text)
        try FileSystem.replace(run.manifest, with: Array(damaged.utf8))
        let state = try run.state()
        #expect(state.artifacts.map { $0["path"]?.string } == ["artifacts/a", "artifacts/b"])
        #expect(state == whole)
    }

    @Test func aManifestOfAnotherStreamIsIgnored() throws {
        let (one, other) = (try make("one"), try make("other"))
        try append(to: one, Array(repeating: (.note, [:]), count: 5))
        try other.save(try one.state())
        #expect(try other.state().notes == 0)
        #expect(try other.state().name == "other")
    }

    @Test func aSupervisorIsSeenByItsLock() throws {
        let run = try make("a")
        #expect(!run.hasSupervisor())
        let file = try File(path: run.events, O_RDWR)
        #expect(try file.lock(byte: EventWriter.supervisorByte))
        #expect(run.hasSupervisor())
        file.unlock(byte: EventWriter.supervisorByte)
        #expect(!run.hasSupervisor())
    }

    @Test func aTakenNameGetsANumber() throws {
        let names = try (0..<5).map { _ in try make("same").id }
        #expect(Set(names).count == 5)
        #expect(names.allSatisfy { RunsDirectory.isName(String($0.dropFirst(18))) })
        #expect(runs.runs().map(\.id) == names)
    }

    @Test func runsOfOneSecondAreInTheOrderOfTheirMaking() throws {
        for id in ["2026-01-01_000000_z", "2026-01-01_000000_a", "2025-01-01_000000_m"] {
            try place(id)
            usleep(2000)
        }
        let expected = ["2025-01-01_000000_m", "2026-01-01_000000_z", "2026-01-01_000000_a"]
        #expect(runs.runs().map(\.id) == expected)
        #expect(try runs.find("latest").id == "2026-01-01_000000_a")
    }

    @Test func findingARun() throws {
        try place("2025-01-01_000000_a", shortID: "aaaa")
        try place("2026-01-01_000000_b", shortID: "bbbb")
        try place("2026-01-01_000001_b", shortID: "cccc")
        #expect(try runs.find("2025").id == "2025-01-01_000000_a")
        #expect(try runs.find("bbbb").id == "2026-01-01_000000_b")
        #expect(try runs.find("latest").id == "2026-01-01_000001_b")
        #expect(try runs.find("latest~0").id == "2026-01-01_000001_b")
        #expect(try runs.find("latest~2").id == "2025-01-01_000000_a")
        for (reference, code) in [
            ("2026", RunStoreError.Code.ambiguous), ("nope", .noSuchRun), ("latest~3", .noSuchRun),
            ("latest~-1", .noSuchRun), ("latest~x", .noSuchRun), ("", .noSuchRun), ("../runs", .noSuchRun),
        ] {
            let error = #expect(throws: RunStoreError.self) { try runs.find(reference) }
            #expect(error?.code == code, "\(reference)")
        }
    }

    @Test func anExactNameWinsOverAPrefix() throws {
        try place("2026-01-01_000000_b")
        try place("2026-01-01_000000_b_2")
        #expect(try runs.find("2026-01-01_000000_b").id == "2026-01-01_000000_b")
    }

    @Test func theCurrentRun() throws {
        #expect(runs.current() == nil)
        let run = try make("a")
        try runs.setCurrent(run)
        #expect(runs.current() == run)
        #expect(runs.runs() == [run])
        try run.remove()
        #expect(runs.current() == nil)
        try FileSystem.replace(runs.path + "/.current", with: Array("../../etc\n".utf8))
        #expect(runs.current() == nil)
    }

    @Test func names() {
        for name in ["a", "A-1.x_y", "0", String(repeating: "x", count: 64)] { #expect(RunsDirectory.isName(name)) }
        for name in ["", ".a", "-a", "_a", "a/b", "a b", "ä", String(repeating: "x", count: 65)] {
            #expect(!RunsDirectory.isName(name))
        }
    }
}
