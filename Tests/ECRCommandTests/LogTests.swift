import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The raw output of jobs, as it is on record.
@Suite struct LogTests {
    private let ecr: Ecr
    private let run: RunDirectory

    /// A run that is over, with two actions and a collector; a byte of each log is not on record.
    init() async throws {
        ecr = try Ecr()
        run = try await ecr.create()
        func output(_ job: String, _ stream: String, _ offset: Int64, _ length: Int64) -> (EventType, JSONObject) {
            (
                .commandOutput,
                ["job": .string(job), "stream": .string(stream), "offset": .int(offset), "length": .int(length)]
            )
        }
        let rows: JSON = [
            ["tick": 0, "time": "2026-01-27T14:30:52.500000Z", "text": "a\nb\n"], ["tick": 1, "base64": "/w=="],
            ["tick": 2, "length": 20000],
        ]
        try ecr.append(
            to: run,
            [
                (.runStarted, [:]), (.actionStarted, ["action": "hash", "job": "0001-hash"]),
                output("0001-hash", "stdout", 0, 2), output("0001-hash", "stderr", 0, 3),
                (.collectorStarted, ["collector": "load", "job": "0002-load"]),
                (.collectorOutput, ["collector": "load", "job": "0002-load", "rows": rows, "table_bytes": 9]),
                output("0001-hash", "stdout", 2, 4), (.actionCompleted, ["job": "0001-hash"]),
                (.actionStarted, ["action": "hash", "job": "0003-hash"]), output("0003-hash", "stdout", 0, 4),
                (.actionCompleted, ["job": "0003-hash"]), (.collectorStopped, ["job": "0002-load"]),
                (.runCompleted, [:]),
            ])
        for (path, text) in [
            (run.actionLog(job: "0001-hash", stream: "stdout"), "A\nB\nC\n!"),
            (run.actionLog(job: "0001-hash", stream: "stderr"), "err!"),
            (run.actionLog(job: "0003-hash", stream: "stdout"), "\u{1B}\r\nx!"),
            (run.collectorRows("load"), "head\n1,2\n!"),
        ] { try FileSystem.replace(path, with: Array(text.utf8)) }
    }

    private func log(_ arguments: String...) async throws -> (output: String, error: String) {
        let result = try await ecr.run(["run", "log"] + arguments)
        #expect(result.status == 0, "\(result.errorText)")
        return (result.outputText, result.errorText)
    }

    @Test func ofOneJob() async throws {
        #expect(try await log("0001-hash") == ("A\nB\nC\n", "err"))
        #expect(try await log("0001-hash", "--stdout") == ("A\nB\nC\n", ""))
        #expect(try await log("0001-hash", "--stderr") == ("err", ""))
        // An action's name is its last job; a pipe gets the bytes as they are.
        #expect(try await log("hash") == ("\u{1B}\r\nx", ""))
        #expect(try await log("last", "--stderr") == ("", ""))
        #expect(try await log("load") == ("head\n1,2\n", ""))
    }

    @Test(arguments: [("0", "", ""), ("1", "C\n", ""), ("2", "B\nC\n", ""), ("9", "A\nB\nC\n", "err")])
    func theLastLines(_ count: String, _ output: String, _ error: String) async throws {
        #expect(try await log("0001-hash", "--stdout", "--tail", count) == (output, ""))
        // In the order of the record: A, err and B on one line, C.
        #expect(try await log("0001-hash", "--tail", count) == (output, count == "2" || count == "9" ? "err" : ""))
    }

    @Test func ofAllJobs() async throws {
        let lines = try await log("--all").output.split(separator: "\n").map(String.init)
        // Times are those of the test, but for the row that has its own.
        #expect(
            lines.map { String($0.dropFirst("14:30:52.500 ".count)) } == [
                "0001-hash out| A", "0002-load row| a", "0002-load row| b", "0002-load row| \u{FFFD}",
                "0002-load row| (19.5 KiB, in the collector's log)", "0001-hash out| B", "0001-hash out| C",
                "0001-hash err| err", "0003-hash out| \u{1B}", "0003-hash out| x",
            ])
        #expect(lines[1].hasPrefix("14:30:52.500 ") && lines[0].prefix(13).contains(":"))
        #expect(try await log("--all", "--tail", "2").output.split(separator: "\n").map(String.init) == lines.suffix(2))
        #expect(try await log("--all", "--follow").output.split(separator: "\n").map(String.init) == lines)
    }

    @Test(arguments: [
        (["nope"], "has no job 'nope'"), ([], "give either a job or --all"),
        (["x", "--all"], "give either a job or --all"),
        (["load", "--stderr"], "has one stream"), (["last", "--stdout", "--stderr"], "give either"),
        (["last", "--tail", "-1"], "--tail"), (["--all", "--stdout"], "for one job"),
    ])
    func wrongUsage(_ arguments: [String], _ problem: String) async throws {
        let result = try await ecr.run(["run", "log"] + arguments)
        #expect(result.status == 64 && result.outputText == "")
        #expect(result.errorText.contains(problem), "\(result.errorText)")
    }

    @Test func aLogThatIsGoneIsSaid() async throws {
        try FileSystem.removeTree(run.actionLog(job: "0001-hash", stream: "stdout"))
        let result = try await ecr("run", "log", "0001-hash", "--stdout")
        #expect(result.status == 66 && result.errorText.contains("0001-hash.stdout: No such file"))
        #expect(try await ecr("run", "log", "--all").status == 66)
    }
}
