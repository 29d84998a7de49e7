import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What an operator adds to the record, where no supervisor lives.
@Suite struct OperatorTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    // MARK: Notes

    @Test func aNoteOfManyLinesComesFromStdin() async throws {
        let run = try await ecr.create()
        #expect(try await ecr("note", "-", input: "one\n\n  two\n\n").status == 0)
        #expect(try await ecr("note", "--", "-5", "degrees").status == 0)
        #expect(try await ecr("note", "a", "-", "b", input: "unused").status == 0)
        #expect(
            try ecr.events(run, .note).map { $0["text"]?.string } == ["one\n\n  two", "-5 degrees", "a - b"])
        let show = try await ecr("run", "show").outputText.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(show.firstIndex { $0.hasSuffix("  one") })
        #expect(
            show[first + 1] == "" && show[first + 2].hasSuffix("    two") && show[first + 3].hasSuffix("  -5 degrees"))
    }

    @Test func aNoteThatIsNoneIsRefused() async throws {
        let run = try await ecr.create()
        #expect(try await ecr("note", "-", input: "\n \n").errorText == "error: the note is empty\n")
        let long = try await ecr("note", "-", input: String(repeating: "x", count: 65_537))
        #expect(long.status == 64 && long.errorText.hasPrefix("error: the note is longer than 65536 bytes"))
        #expect(try await ecr("note", "-", input: String(repeating: "x", count: 65_536) + "\n").status == 0)
        let bytes = try await ecr.run(["note", "-"], input: [0x61, 0xFF])
        #expect(bytes.status == 64 && bytes.errorText == "error: the note is not UTF-8 text\n")
        #expect(try ecr.types(run) == ["run_created", "note"])
    }

    @Test func theTimeOfANoteIsThatOfTheWall() async throws {
        let run = try await ecr.create()
        // Three hours east, by a zone that needs no database.
        for at in ["2026-01-27T14:05", "2026-01-27T14:05Z", "2026-01-27 14:05:30.5+01:00"] {
            #expect(try await ecr("note", "x", "--at", at, environment: ["TZ": "XYZ-3"]).status == 0)
        }
        let times = try ecr.events(run, .note).map { $0["at"]?.string }
        #expect(
            times == [
                "2026-01-27T11:05:00.000000Z", "2026-01-27T14:05:00.000000Z", "2026-01-27T13:05:30.500000Z",
            ])
        let show = try await ecr("run", "show", environment: ["TZ": "XYZ-3"])
        #expect(show.outputText.contains("  1  2026-01-27 14:05:00  x\n"))
        let wrong = try await ecr("note", "x", "--at", "-5 minutes")
        #expect(wrong.status == 64 && wrong.errorText.hasPrefix("error: '-5 minutes' is no time; write 14:05, "))
        #expect(try await ecr("note", "x", "--at", "-5m").status == 0)
        #expect(try ecr.events(run, .note).count == 4)
    }

    @Test func onATerminalANoteSaysOneSentence() async throws {
        let script = try #require(Command.find("script"))
        _ = try await ecr.create()
        let typed = try await Command.run(
            script, ["-qec", "'\(try BuiltProducts.ecr())' note x", "/dev/null"],
            environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil, "TERM": "xterm"], workingDirectory: ecr.scratch.path)
        #expect(typed.outputText == "note 1 recorded\r\n")
    }

    // MARK: Corrections

    @Test func anEditCorrectsAndTheOriginalStays() async throws {
        let run = try await ecr.create()
        for text in ["first", "secnd", "third"] { _ = try await ecr("note", text) }
        #expect(try await ecr("run", "edit", "2", "second").outputText == "4\n")
        let last = try await ecr("run", "edit", "last", "-", "--json", input: "the third\n")
        #expect(try last.json() == ["seq": 5, "note": 3])
        #expect(try ecr.events(run, .note).map { $0["text"]?.string } == ["first", "secnd", "third"])
        let show = try await ecr("run", "show").outputText
        #expect(show.contains("  first\n") && show.contains("  second  (edited)\n") && !show.contains("secnd"))
        let events = try await ecr("run", "events", "--type", "note").outputText.split(separator: "\n")
        #expect(events[0].hasSuffix(#"{"text":"first"}"#))
        #expect(events[1].hasSuffix(#"{"text":"second"}  (edited by 4)"#))
        #expect(try await ecr("run", "events", "--type", "note", "--json").outputText.contains("secnd"))
    }

    @Test func onlyANoteCanBeEdited() async throws {
        let run = try await ecr.create()
        #expect(
            try await ecr("run", "edit", "last", "x").errorText
                == "error: run \(run.id) has no note yet\n  try: ecr note TEXT\n")
        _ = try await ecr("note", "the fan\nis loud")
        for (seq, problem) in [
            ("0", "event 0 of run \(run.id) is no note, but run_created"), ("7", "run \(run.id) has no event 7"),
            ("fan", "'fan' is neither a note's number nor `last`"),
        ] {
            let result = try await ecr("run", "edit", seq, "x")
            #expect(result.status == 64)
            #expect(result.errorText == "error: \(problem); the last notes are\n  1  the fan\n")
        }
        #expect(try ecr.types(run) == ["run_created", "note"])
    }

    @Test func aNoteThatIsNoLongerInTheManifestIsEdited() async throws {
        let run = try await ecr.create()
        try ecr.append(to: run, (1...30).map { (.note, ["text": .string("note \($0)")]) })
        #expect(try await ecr("run", "edit", "3", "three").status == 0)
        #expect(
            try await ecr("run", "events", "--type", "note").outputText.contains(#"{"text":"three"}  (edited by 31)"#))
        let show = try await ecr("run", "show").outputText
        #expect(show.contains("notes      30; all: ecr run events \(run.id) --type note\n"))
        #expect(!show.contains("note 10\n") && show.contains("note 11\n"))
    }

    // MARK: Marks

    private func runWithJobs() async throws -> RunDirectory {
        let run = try await ecr.create()
        try ecr.append(
            to: run,
            [
                (.runStarted, [:]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                (.actionCompleted, ["job": "0001-hash", "exit": 0, "duration_s": 1]),
                (.collectorStarted, ["collector": "load", "job": "0002-load"]),
                (.collectorStopped, ["job": "0002-load"]), (.runCompleted, [:]),
            ])
        return run
    }

    @Test func theLastMarkCounts() async throws {
        let run = try await runWithJobs()
        let marked = try await ecr("run", "mark", "last", "invalid", "the", "fan", "--json")
        #expect(try marked.json() == ["seq": 7, "job": "0001-hash", "verdict": "invalid", "reason": "the fan"])
        #expect(marked.errorText == "job 0001-hash is marked invalid\n")
        let sentence = "hash completed in 1.00 s (job 0001-hash); marked invalid: the fan"
        #expect(try await ecr("status").outputText.contains(sentence))
        #expect(try await ecr("run", "follow").errorText == sentence + "\n")
        #expect(try await ecr("run", "show").outputText.contains("  marked invalid: the fan\n"))
        let json = try await ecr("run", "show", "--json").json()
        #expect(json["jobs"]?.array?.map { $0["invalid"]?.string } == ["the fan", nil])
        #expect(try await ecr("run", "list", "--json").json()["runs"]?.array?.first?["jobs_invalid"]?.int == 1)
        #expect(try await ecr("run", "mark", "hash", "ok").status == 0)
        #expect(try await !ecr("status").outputText.contains("invalid"))
        #expect(try ecr.events(run, .mark).count == 2)
    }

    @Test func aSpanMarksWhatReachesIntoIt() async throws {
        _ = try await runWithJobs()
        let result = try await ecr("run", "mark", "--from", "-1h", "--to", "now", "invalid", "power")
        #expect(result.status == 0)
        let show = try await ecr("run", "show", "--json").json()
        #expect(show["jobs"]?.array?.map { $0["invalid"]?.string } == ["power", nil])
        #expect(try await ecr("run", "show").outputText.contains(": power\n"))
    }

    @Test(arguments: [
        (["last", "invalid"], "say why it is invalid"),
        (["last", "bad", "x"], "a verdict is `invalid` or `ok`, not 'bad'"),
        (["hahs", "ok"], "has no job 'hahs'; did you mean 'hash'?"), (["zzzzzz", "ok"], "it has 0001-hash, 0002-load"),
        (["last"], "give a job and a verdict"), (["--from", "14:05", "ok"], "a span needs both --from and --to"),
        (["--from", "-1m", "--to", "-2m", "ok"], "before it begins"),
        (["--from", "2020-01-01T10:00Z", "--to", "2020-01-01T11:00Z", "ok"], "lies outside of run"),
        (["--from", "x", "--to", "now", "ok"], "'x' is no time"),
    ])
    func aMarkThatMakesNoSenseIsRefused(_ arguments: [String], _ problem: String) async throws {
        let run = try await runWithJobs()
        let result = try await ecr.run(["run", "mark"] + arguments)
        #expect(result.status == 64)
        #expect(result.errorText.contains(problem), "\(result.errorText)")
        #expect(try ecr.events(run, .mark).isEmpty)
    }

    // MARK: Tags

    @Test func tags() async throws {
        let run = try await ecr.create("--tag", "lab")
        let added = try await ecr("run", "tag", "add", "cold", "lab", "cold")
        #expect(added.status == 0 && added.outputText == "")
        #expect(added.errorText == "tagged: cold\ntagged already: lab\n")
        let removed = try await ecr("run", "tag", "remove", "lab", "warm", "--json")
        #expect(try removed.json() == ["changed": ["lab"], "tags": ["cold"]])
        #expect(removed.errorText == "removed: lab\nnot there: warm\n")
        #expect(try await ecr("run", "tag", "list").outputText == "cold\n")
        #expect(try await ecr("run", "tag", "list", "latest", "--json").json() == ["tags": ["cold"]])
        let wrong = try await ecr("run", "tag", "add", "good", "a b")
        #expect(wrong.status == 64 && wrong.errorText.hasPrefix("error: a tag cannot be 'a b'"))
        #expect(try await ecr("run", "create", "board.yaml", "--tag", "a b").status == 64)
        #expect(try ecr.types(run) == ["run_created", "tag_added", "tag_removed"])
    }

    // MARK: Events

    @Test func eventsAreSelected() async throws {
        let run = try await ecr.create()
        try ecr.append(to: run, Array(repeating: (.note, ["text": "x"]), count: 4))
        func seqs(_ arguments: String...) async throws -> [String] {
            try await ecr.run(["run", "events"] + arguments).outputText.split(separator: "\n").map {
                String($0.prefix { $0 != " " })
            }
        }
        #expect(try await seqs("--since", "3") == ["3", "4"])
        #expect(try await seqs("--since", "3", "--type", "run_created") == [])
        #expect(try await seqs("--since", "-1h") == ["0", "1", "2", "3", "4"])
        #expect(try await seqs("--since", "now") == [])
        #expect(
            try await ecr("run", "events", "--type", "nots").errorText
                == "error: there is no event type 'nots'; did you mean 'note'?\n")
    }

    @Test func followEndsWithTheRun() async throws {
        let run = try await ecr.create()
        let program = try BuiltProducts.ecr()
        let follow = try RunningCommand(
            program, ["run", "events", "--follow"], environment: ["ECR_RUN": nil, "ECR_RUNS_DIR": nil],
            workingDirectory: ecr.scratch.path)
        try await follow.waitForOutput("run_created")
        try ecr.append(to: run, [(.note, ["text": "seen"])])
        try await follow.waitForOutput("seen")
        try ecr.append(to: run, [(.runAborted, [:])])
        let result = try await follow.wait()
        #expect(result.status == 0 && result.errorText == "")
        #expect(result.outputText.hasSuffix("run_aborted  {}\n"))
    }

    @Test func followOfAnInterruptedRunSaysSo() async throws {
        let run = try await ecr.create()
        try ecr.append(to: run, [(.runStarted, [:])])
        let result = try await ecr("run", "events", "--follow")
        #expect(result.errorText == "run \(run.id) is interrupted; `ecr run resume` takes it up again\n")
    }
}
