import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What needs no target.
@Suite struct CommandTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    @Test func version() async throws {
        #expect(try await ecr("--version").outputText == "0.1.0\n")
    }

    /// `/` and a name are not `//name`.
    @Test func pathsBelowTheRoot() async throws {
        let result = try await Command.run(
            try BuiltProducts.ecr(), ["run", "list", "--runs-dir", "no-such-directory"], workingDirectory: "/")
        #expect(result.errorText.hasPrefix("no runs in /no-such-directory\n"))
    }

    @Test func aGoodProfile() async throws {
        let result = try await ecr("profile", "validate", "board.yaml")
        #expect(result.status == 0)
        #expect(result.outputText == "board.yaml is valid: 1 action, 1 collector\n")
        #expect(try await ecr("profile", "validate", "board.yaml", "--json").json()["valid"]?.bool == true)
    }

    @Test func aBadProfileNamesEveryProblem() async throws {
        try ecr.scratch.write(
            "bad.yaml",
            "name: bad\nconnection: {host: h, prot: 22}\nactions:\n  a: {commands: [\"x\"], timeout: soon}\n")
        let result = try await ecr("profile", "validate", "bad.yaml")
        #expect(result.status == 65)
        #expect(result.outputText == "")
        #expect(result.errorText.contains("bad.yaml:2:23: error: "))
        #expect(result.errorText.contains("did you mean 'port'?"))
        #expect(result.errorText.contains("connection: {host: h, prot: 22}\n                      ^\n"))
        #expect(result.errorText.contains("bad.yaml:4:33: error: "))
        #expect(!result.errorText.contains("error: bad.yaml"))
    }

    @Test func profilesAreFoundByName() async throws {
        try ecr.scratch.write("profiles/lab.yaml", Ecr.goodProfile)
        #expect(try await ecr("profile", "validate", "lab").status == 0)
        let missing = try await ecr("profile", "validate", "board")
        #expect(missing.status == 66)
        #expect(missing.errorText == "error: there is no profile 'board'; profiles in profiles: lab\n")
        #expect(try await ecr("profile", "validate", "lab", environment: ["ECR_PROFILES_DIR": "/none"]).status == 0)
        #expect(try await ecr("profile", "validate", "profiles").status == 66)
    }

    @Test func createPrintsTheIDOnly() async throws {
        let result = try await ecr(
            "run", "create", "board.yaml", "--name", "cold", "--tag", "a", "--tag", "b", "-p", "size=8")
        #expect(result.status == 0)
        let id = String(result.outputText.dropLast())
        #expect(id.hasSuffix("_cold") && !id.contains("\n"))
        let show = try await ecr("run", "show", "--json").json()
        #expect(show["id"]?.string == id && show["state"]?.string == "created")
        #expect(show["tags"] == ["a", "b"] && show["parameters"] == ["size": "8"])
        #expect(try ecr.scratch.read("runs/\(id)/profile_snapshot.yaml") == Ecr.goodProfile)
        #expect(try FileSystem.list(ecr.scratch.path("runs/\(id)")).contains("profile_resolved.json"))
    }

    @Test func badValuesAreRefusedBeforeAnythingIsMade() async throws {
        for (arguments, code) in [
            (["-p", "size=0"], 64), (["-p", "sise=1"], 64), (["--name", "a/b"], 64), (["-p", "size"], 64),
        ] as [([String], Int32)] {
            #expect(try await ecr.run(["run", "create", "board.yaml"] + arguments).status == code)
        }
        #expect(!FileSystem.exists(ecr.scratch.path("runs")))
    }

    @Test func runsAreFoundByManyNames() async throws {
        let first = try await ecr.create("--name", "one")
        let second = try await ecr.create("--name", "two")
        let shortID = try first.state().shortID
        for name in [first.id, shortID, "latest~1"] {
            #expect(try await ecr("run", "show", name, "--json").json()["id"]?.string == first.id)
        }
        #expect(try await ecr("run", "show", "--json").json()["id"]?.string == second.id)
        #expect(try await ecr("run", "use", shortID).outputText == first.id + "\n")
        #expect(try await ecr("run", "status", "--json").json()["run"]?.string == first.id)
        let other = try await ecr("run", "status", "--json", environment: ["ECR_RUN": second.id])
        #expect(try other.json()["run"]?.string == second.id)
        #expect(try await ecr("run", "show", "20").status == 64)
        let missing = try await ecr("run", "show", "nope")
        #expect(missing.status == 66)
        #expect(
            ecr.neutral(missing.errorText)
                == "error: no run 'nope' in DIR/runs; `ecr run list` shows those that exist\n")
    }

    @Test func listAndStatus() async throws {
        #expect(try await ecr("run", "list").errorText.contains("next: ecr run start PROFILE"))
        let first = try await ecr.create()
        let second = try await ecr.create()
        let lines = try await ecr("run", "list").outputText.split(separator: "\n")
        #expect(lines.count == 3 && lines[1].hasPrefix("   \(first.id)") && lines[2].hasPrefix("*  \(second.id)"))
        let status = try await ecr("status").outputText
        #expect(status.contains("next       ecr run start\n") && status.contains("collector  load  not started"))
    }

    @Test func notes() async throws {
        let run = try await ecr.create()
        let plain = try await ecr("run", "note", "the", "fan", "is loud")
        #expect(plain.outputText == "1\n" && plain.errorText == "note 1 recorded\n")
        #expect(try await ecr("note", "x", "--json").outputText == "{\"seq\":2}\n")
        #expect(try await ecr("run", "abort", "no power").status == 0)
        #expect(try await ecr("note", "after the end").errorText == "note 4 recorded\n")
        #expect(try ecr.types(run) == ["run_created", "note", "note", "run_aborted", "note"])
        #expect(try await ecr("note", " ").status == 64)
        let events = try await ecr("run", "events", "--type", "note", "--json").outputText
        #expect(events.split(separator: "\n").count == 3 && events.contains(#"{"text":"the fan is loud"}"#))
    }

    @Test func parallelNotesAreAllRecorded() async throws {
        let run = try await ecr.create()
        let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for index in 0..<12 { group.addTask { try await ecr("note", "\(index)").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == Array(repeating: 0, count: 12))
        #expect(try ecr.types(run).count == 13)
    }

    @Test func illegalStepsNameTheStateAndTheWayOut() async throws {
        let run = try await ecr.create()
        let action = try await ecr("run", "action", "hash")
        #expect(action.status == 64)
        #expect(
            action.errorText == "error: run \(run.id) is created, so ecr cannot run an action\n  try: ecr run start\n")
        for command in [["complete"], ["resume"], ["exec", "--", "true"], ["collector", "start", "load"]] {
            #expect(try await ecr.run(["run"] + command).status == 64)
        }
        try ecr.append(to: run, [(.runStarted, [:])])
        let interrupted = try await ecr("run", "complete")
        #expect(interrupted.status == 64)
        #expect(
            interrupted.errorText
                == "error: run \(run.id) is interrupted, so ecr cannot complete it\n  try: ecr run resume\n")
        try ecr.append(to: run, [(.runCompleted, [:])])
        let completed = try await ecr("run", "start", "--run", run.id)
        #expect(
            completed.errorText.hasSuffix(
                "is completed, so ecr cannot start it\n  try: ecr run export \(run.id), or ecr run start PROFILE\n"))
        #expect(try await ecr("run", "abort").status == 64)
    }

    /// One long name does not push the sizes of all others off the screen.
    @Test func aLongNameIsNotPaddedFor() async throws {
        let run = try await ecr.create()
        let long = "artifacts/pulled/0001/\(String(repeating: "x", count: 200))"
        func pulled(_ path: String) -> (EventType, JSONObject) {
            (.artifactPulled, ["path": .string(path), "size": 1])
        }
        try ecr.append(to: run, [pulled(long), pulled("artifacts/pulled/0001/a"), pulled("artifacts/pulled/0001/bcd")])
        let show = try await ecr("run", "show").outputText
        #expect(show.contains("\n  \(long)  1 B\n"))
        #expect(show.contains("\n  artifacts/pulled/0001/a    1 B\n  artifacts/pulled/0001/bcd  1 B\n"))
    }

    @Test func anInterruptedRunIsAbortedWithItsOpenJobs() async throws {
        let run = try await ecr.create()
        try ecr.append(
            to: run,
            [
                (.runStarted, [:]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                (.collectorStarted, ["collector": "load", "job": "0002-load"]),
            ])
        #expect(try await ecr("run", "follow").status == 79)
        let collectors = try await ecr("run", "collector", "list").outputText
        #expect(collectors == "COLLECTOR  STATE    SAMPLES  LAST\nload       unknown  0\n")
        #expect(try await ecr("run", "show").outputText.contains("0001-hash  action     no end on record  -"))
        #expect(try await ecr("note", "power cut").status == 0)
        let result = try await ecr("run", "abort", "--json", "power cut")
        let unfinished = try result.json()["unfinished"]?.array ?? []
        #expect(unfinished.map { $0["job"]?.string } == ["0001-hash", "0002-load"])
        #expect(unfinished.allSatisfy { $0["last_seen"]?.string != nil })
        #expect(
            try ecr.types(run).suffix(5)
                == ["run_interrupted", "note", "action_unknown", "collector_stopped", "run_aborted"])
        #expect(try run.state().jobs.map(\.outcome) == [.unknown, .unknown])
        #expect(try await ecr("run", "follow").status == 79)
    }

    @Test func onlyOneOfManyAbortsIsRecorded() async throws {
        let run = try await ecr.create()
        let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<6 { group.addTask { try await ecr("run", "abort").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.sorted() == [0, 64, 64, 64, 64, 64])
        #expect(try ecr.types(run) == ["run_created", "run_aborted"])
    }

    @Test func theProblemsOfAProfileAsJSON() async throws {
        let path = try ecr.scratch.write("bad.yaml", "name: bad\nconection: {}\n")
        let result = try await ecr("profile", "validate", path, "--json")
        #expect(result.status == 65)
        let json = try result.json()
        #expect(json["valid"] == false)
        let unknown = json["problems"]?.array?.first { $0["line"]?.int == 2 }
        #expect(unknown?["column"]?.int == 1 && unknown?["severity"] == "error")
        #expect(unknown?["message"]?.string?.contains("did you mean 'connection'?") == true)
    }

    @Test func aJobThatHasEndedIsReplayed() async throws {
        let run = try await ecr.create()
        try ecr.append(
            to: run,
            [
                (.runStarted, [:]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                (.commandOutput, ["job": "0001-hash", "stream": "stdout", "offset": 0, "length": 3]),
                (.actionFailed, ["job": "0001-hash", "exit": 3, "duration_s": 2.314]), (.runCompleted, [:]),
            ])
        try FileSystem.replace(run.actionLog(job: "0001-hash", stream: "stdout"), with: [0xFF, 0x1B, 0x0A])
        let result = try await ecr("run", "follow", "hash")
        #expect(result.status == 1)
        #expect(result.output == [0xFF, 0x1B, 0x0A])
        #expect(result.errorText == "hash failed: exit 3 (job 0001-hash, after 2.31 s)\n")
        #expect(try await ecr("run", "follow", "0009-x").status == 64)
    }

    @Test func wrongUsage() async throws {
        for arguments in [["--bogus"], ["run", "fly"], ["run", "note"], ["run", "exec"], ["run", "list", "--tall"]] {
            let result = try await ecr.run(arguments)
            #expect(result.status == 64 && result.outputText == "" && !result.errorText.isEmpty)
        }
        let none = try await ecr("status")
        #expect(none.status == 66)
        #expect(
            ecr.neutral(none.errorText)
                == "error: there is no current run in DIR/runs\n  try: ecr run start PROFILE\n")
    }

    @Test func damageIsAnError() async throws {
        let run = try await ecr.create()
        _ = try await ecr("note", "x")
        _ = try await ecr("note", "y")
        let lines = try FileSystem.read(run.events).split(separator: 0x0A).map { Array($0) + [0x0A] }
        try FileSystem.replace(run.events, with: lines[0] + lines[2])
        try FileSystem.replace(run.manifest, with: [])
        let events = try await ecr("run", "events")
        #expect(events.status == 76 && events.outputText.contains("run_created"))
        #expect(try await ecr("status").status == 76)
        #expect(try await ecr("run", "list").outputText.contains("damaged"))
        #expect(try await ecr("run", "export").status == 76)
    }

    @Test func aFullDiskIsSaid() async throws {
        let shell = "'\(try BuiltProducts.ecr())' run list --json >/dev/full"
        let result = try await Command.run("/bin/sh", ["-c", shell], workingDirectory: ecr.scratch.path)
        #expect(result.status == 74)
        #expect(result.errorText.contains("No space left on device"))
    }

    @Test func aClosedPipeEndsQuietly() async throws {
        let run = try await ecr.create()
        try ecr.append(to: run, Array(repeating: (.note, ["text": "long"]), count: 3000))
        let shell = "{ '\(try BuiltProducts.ecr())' run events; echo $? >&2; } | head -n 1"
        let result = try await Command.run("/bin/sh", ["-c", shell], workingDirectory: ecr.scratch.path)
        #expect(result.errorText == "141\n")
        #expect(result.outputText.split(separator: "\n").count == 1)
    }

    @Test func hostileTextIsEscaped() async throws {
        let run = try await ecr.create()
        _ = try await ecr("note", "\u{1B}[2J\u{202E}x\u{9B}y")
        let text = try await ecr("run", "events").outputText
        #expect(
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x9B && $0.value != 0x202E || $0 == "\n" })
        try ecr.append(to: run, [(.runAborted, ["reason": "\u{1B}[31m\nnext line"])])
        #expect(try await ecr("run", "show").outputText.contains(#"aborted: \u{1b}[31m\u{a}next line"#))
    }

    /// script(1) gives it a terminal.
    @Test(.enabled(if: Command.find("script") != nil, "needs script(1)"))
    func colourOnlyWhereItIsWanted() async throws {
        let ecr = try Ecr()
        func typed(_ options: String, _ environment: [String: String?]) async throws -> Bool {
            let command = "'\(try BuiltProducts.ecr())' run show nope\(options)"
            var settings: [String: String?] = ["TERM": "xterm", "NO_COLOR": nil]
            for (name, value) in environment { settings[name] = value }
            let result = try await Command.run(
                try #require(Command.find("script")), ["-qec", command, "/dev/null"], environment: settings,
                workingDirectory: ecr.scratch.path)
            #expect(result.status == 66 && result.outputText.contains("no run 'nope'"))
            return result.output.contains(0x1B)
        }
        #expect(try await typed("", [:]))
        #expect(try await !typed("", ["NO_COLOR": "1"]))
        #expect(try await !typed("", ["TERM": "dumb"]))
        #expect(try await !typed(" --no-color", [:]))
    }
}
