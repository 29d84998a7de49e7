import JSON
import LinuxSystem
import Profiles
import RunStore
import TestSupport
import Testing
import YAML

@testable import ECRCore

/// Metrics out of files: patterns, JSON, CSV.
@Suite struct MetricReaderTests {
    private let scratch = try! ScratchDirectory()

    private func read(_ keys: String, _ text: some Sequence<UInt8>, length: Int64? = nil, most: Int = 1_000_000) throws
        -> MetricSeries
    {
        let profile = try Profile.parse(
            Array("name: n\nconnection: {host: h}\nactions: {a: {commands: [x], metrics: {m: {\(keys)}}}}\n".utf8),
            file: "p")
        let path = scratch.path("file")
        try FileSystem.replace(path, with: Array(text))
        let values = try profile.parameters(for: profile.actions[0], given: [], standing: [])
        var reader = MetricReader(profile.prepare(profile.actions[0], with: values).metrics[0], most: most)
        try reader.read(path, length)
        return reader.series
    }

    private func values(_ keys: String, _ text: String) throws -> String {
        JSON.array(try read(keys, text.utf8).values).text
    }

    @Test func everyMatchIsAValue() throws {
        #expect(try values("regex: 't=([0-9.]+)'", "t=1 t=2.50\nx\nt=3") == "[1,2.5,3]")
        #expect(try values("regex: '(a)?t=(?<value>[0-9]+)'", "at=1\nt=2\n") == "[1,2]")
        #expect(try values("regex: '(\\d*)'", "ü12é3") == "[12,3]")
        #expect(
            try values("regex: '^n (.*)$'", "n  0.123456789012345678901 \nn 1e3")
                == "[\"0.123456789012345678901\",1000.0]")
        #expect(try read("regex: 't=([0-9])'", "nothing".utf8).reason == "nothing matches")
        #expect(try read("regex: 't=(.*)'", "t=n/a\n".utf8).reason == "'n/a' is not a number")
        let mixed = try read("regex: 't=(.*)', unit: ms, required: true", "t=1\nt=n/a\nt=3".utf8)
        #expect(mixed.values == [1, 3] && mixed.unit == "ms" && mixed.isRequired)
        #expect(mixed.warning == "metric m: 'n/a' is not a number")
    }

    @Test func progressOnOneLineAndBytesThatAreNoText() throws {
        #expect(try values("regex: 'step (\\d+)'", "step 1\rstep 2\rstep 3\r") == "[1,2,3]")
        let bytes: [UInt8] = [0xFF, 0xFE] + Array("t=4".utf8) + [0x80, 0x0A, 0xC3] + Array("t=5".utf8)
        #expect(try read("regex: 't=([0-9])'", bytes).values == [4, 5])
    }

    @Test func aPatternThatBacktracksWithoutEndIsGivenUp() throws {
        let line = String(repeating: "a", count: 40) + "!\n"
        let series = try read("regex: '((a+)+)$'", String(repeating: line, count: 10_000).utf8)
        #expect(series.values.isEmpty && series.reason == "the pattern was cut off: it would have tried too much")
    }

    @Test func onlyWhatIsOnRecordCounts() throws {
        #expect(try read("regex: '(\\d+)'", "12\n34\n".utf8, length: 4).values == [12, 3])
        #expect(try read("regex: '(\\d+)'", "12".utf8, length: 0).reason == "there is no output")
    }

    @Test func manyLinesAndOneWithoutEnd() throws {
        let many = (0..<100_000).map { "value \($0)\n" }.joined()
        let series = try read("regex: 'value (\\d+)'", many.utf8)
        #expect(series.values.count == 100_000 && series.values.last == 99_999)
        let events = series.events([:], derivation: 1)
        #expect(events.count == 100 && events[1]["first"] == 1000 && events[1]["values"]?.array?.count == 1000)
        let long = String(repeating: "x", count: LogLines.longest * 2) + "value 7"
        #expect(try read("regex: 'value (\\d+)'", long.utf8).values == [7])
    }

    @Test func whatIsLeftOutIsSaid() throws {
        let lines = (1...9).map { "{\"n\": \($0)}\n" }.joined()
        for way in ["regex: '(\\d)'", "json: n"] {
            let series = try read(way, lines.utf8, most: 5)
            #expect(series.values == [1, 2, 3, 4, 5])
            #expect(series.warning == "metric m: only its first 5 values were taken")
        }
        #expect(
            try read("csv: n", "n\n1\n2\n3".utf8, most: 2).warning == "metric m: only its first 2 values were taken")
        #expect(try read("json: n", lines.utf8, most: 10).warning == nil)
    }

    @Test func documentsAndLinesOfThem() throws {
        #expect(try values("json: 'a.b'", "{\n \"a\": {\"b\": 0.97}\n}\n") == "[0.97]")
        #expect(try values("json: 'l'", #"{"l":[1,2.5,12345678901234567890]}"#) == #"[1,2.5,"12345678901234567890"]"#)
        #expect(try values("json: 'r[*].ms'", #"{"r":[{"ms":1},{"x":2},{"ms":"3"}]}"#) == #"[1,"3"]"#)
        #expect(try values("json: loss", "starting\n{\"loss\":2}\n{oops\n  {\"loss\":1}\n{\"x\":1}\n") == "[2,1]")
        #expect(try read("json: a", "{\"b\":1}".utf8).reason == "it has no 'a'")
        #expect(try read("json: a", "hello\n".utf8).reason == "it is not JSON, and no line of it is")
        #expect(try read("json: a", "x\n{\"b\":1}".utf8).reason == "it has no 'a'")
        #expect(try read("json: a", "{\"a\":true}".utf8).reason == "'true' is not a number")
    }

    @Test func columnsByName() throws {
        #expect(try values("csv: loss", "epoch,loss\n1,0.5\n2,\n3,0.25\n") == "[0.5,0.25]")
        #expect(try values("csv: loss", "\u{FEFF}\"loss\";\"a b\"\r\n\"1\";2\r\n") == "[1]")
        #expect(try values("csv: 'a b'", "x\ta b\n1\t 2 \n") == "[2]")
        #expect(try values("csv: loss", "loss\n1\n2\n") == "[1,2]")
        #expect(try values("csv: b, separator: blanks", "  a   b\n  1   2\n") == "[2]")
        #expect(
            try read("csv: loss", "epoch,los\n1,2\n".utf8).reason == "its first line has no column 'loss': epoch, los")
        #expect(try read("csv: b", "a,b\n1\n".utf8).reason == "a line has too few columns")
        #expect(try read("csv: b", "\n \n".utf8).reason == "it is empty")
    }

    @Test func filesAreFoundByTheirRemoteNames() throws {
        var job = JobState(id: "0003-a", kind: .action, name: "a", started: "")
        job.spool = "/var/tmp/s"
        job.stdoutBytes = 5
        var state = RunState()
        let pulled: [JSON] = [
            ["job": "0003-a", "remote": "/opt/x/r.json", "path": "artifacts/0003-a/r.json"],
            ["job": "0003-a", "remote": "/var/tmp/s/0003/out/d/l.csv", "path": "artifacts/0003-a/d/l.csv"],
            ["job": "0003-a", "remote": "./here.txt", "path": "artifacts/0003-a/here.txt"],
            ["job": "0002-a", "remote": "/opt/x/other", "path": "artifacts/0002-a/other"],
        ]
        for artifact in pulled { state.artifacts.append(artifact) }
        func path(_ place: PreparedMetric.Place, workdir: String? = nil) -> String? {
            JobFiles(job, workdir: workdir, in: state, RunDirectory(path: "/r")).file(place)?.path
        }
        #expect(path(.stdout) == "/r/logs/actions/0003-a.stdout")
        #expect(path(.file("/opt/x//r.json")) == "/r/artifacts/0003-a/r.json")
        #expect(path(.file("r.json"), workdir: "/opt/x") == "/r/artifacts/0003-a/r.json")
        #expect(path(.file("$ECR_OUT/d/l.csv")) == "/r/artifacts/0003-a/d/l.csv")
        #expect(path(.file("here.txt")) == "/r/artifacts/0003-a/here.txt")
        #expect(path(.file("/opt/x/other")) == nil)
    }
}

@Suite struct WindowTests {
    private func joules(_ window: ClosedRange<Double>, _ unit: String, _ points: [(Double, Double)]) -> JobWindow
        .Energy?
    {
        var sweep = WindowSweep([window], units: [unit])
        for (time, value) in points { sweep.take(time, [value]) }
        return sweep.series[0][0].power?.energy
    }

    @Test func energyIsTheIntegralOfPower() {
        // A ramp from 0 to 10 W in 10 s, by samples off the window's edges.
        let ramp = stride(from: 0.5, through: 10.5, by: 1).map { ($0, $0) }
        #expect(joules(2...6, "W", ramp) == JobWindow.Energy(joules: 16, covered: 4))
        #expect(joules(2...6, "mW", ramp.map { ($0, $1 * 1000) })?.joules == 16)
        #expect(joules(2...6, "C", ramp) == nil)
        #expect(joules(2.6...2.9, "W", ramp).map { abs($0.joules - 2.75 * 0.3) < 1e-12 } == true)
    }

    @Test func nothingIsMadeUpWhereSamplesAreMissing() {
        // Only from 3 on, and with a space of 20 s.
        let points = [3, 4, 5, 6, 26, 27, 28].map { (Double($0), 2.0) }
        #expect(joules(0...30, "W", points) == JobWindow.Energy(joules: 10, covered: 5))
        #expect(joules(0...30, "W", [(3, 2)]) == nil)
        #expect(joules(10...20, "W", points) == nil)
        // A clock that was set back gives no negative time.
        #expect(joules(0...10, "W", [(1, 2), (2, 2), (1.5, 99), (3, 2)])?.joules == 4)
    }

    @Test func samplesGoToTheWindowsInWhichTheyLie() {
        var sweep = WindowSweep([0...10, 5...6, 20...21], units: ["W", nil])
        for time in 0...30 { sweep.take(Double(time) + 0.5, [2, time % 2 == 0 ? nil : Double(time)]) }
        #expect(sweep.series[0][0].values.count == 10 && sweep.series[0][1].values == [1, 3, 5, 7, 9])
        #expect(sweep.series[1][0].values.count == 1 && sweep.series[1][1].values == [5])
        // At the edges the samples around them count.
        #expect(sweep.series[0][0].power?.energy == JobWindow.Energy(joules: 19, covered: 9.5))
        #expect(sweep.series[1][0].power?.energy == JobWindow.Energy(joules: 2, covered: 1))
        #expect(sweep.series[2][0].power?.energy == JobWindow.Energy(joules: 2, covered: 1))
        #expect(sweep.series[2][1].power == nil)
    }
}
