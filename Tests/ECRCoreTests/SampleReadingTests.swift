import JSON
import Profiles

import Testing
import YAML

@testable import ECRCore
@testable import RemoteJobs

/// What each way of `parse:` makes of a sample.
@Suite struct SampleReadingTests {
    private func collector(_ keys: String) throws -> Collector {
        let text = "name: n\nconnection: {host: h}\nbackground_collectors: {c: {\(keys)}}\n"
        return try Profile.parse(Array(text.utf8), file: "p").collectors[0]
    }

    private func read(_ parse: String, _ sample: String) throws -> SampleReading {
        let format = try #require(try collector("stream: x, parse: {\(parse)}").parse)
        return SampleReading(Array(sample.utf8), format)
    }

    @Test func aPatternGivesItsNamedGroups() throws {
        let tegrastats = "RAM 1903/7620MB CPU [2%@729] VDD_IN 4256mW/4301mW"
        let reading = try read(#"regex: 'RAM (?<ram>\d+).* VDD_IN (?<mw>\d+)mW|(?<other>x)'"#, tegrastats)
        #expect(reading.rows == [["1903", "4256", nil]])
        #expect(reading.values == [["ram": 1903, "mw": 4256]])
        #expect(reading.isParsed && reading.problems == [])
        let none = try read("regex: '(?<a>[0-9]+)'", "nothing")
        #expect(none.rows == [] && none.problems == ["it does not match the pattern"] && !none.isParsed)
    }

    @Test func aPatternThatBacktracksWithoutEndIsNamed() throws {
        let reading = try read("regex: '(?<a>(a+)+)$'", String(repeating: "a", count: 40) + "!")
        #expect(!reading.isParsed)
        #expect(reading.problems == ["the pattern was cut off: it would have tried too much"])
    }

    @Test func aPatternThatIsCutOffAgainAndAgainIsGivenUp() throws {
        let format = try #require(try collector("stream: x, parse: {regex: '(?<a>(a+)+)$'}").parse)
        var reader = SampleReader(format)
        let evil = Array((String(repeating: "a", count: 40) + "!").utf8)
        for _ in 1...100 {
            #expect(reader.read(Array("a".utf8)).rows == [["a"]])
            #expect(reader.read(evil).isCutOff)
        }
        let last = reader.read(Array("a".utf8))
        #expect(!last.isParsed && last.rows == [])
        #expect(last.problems == ["the pattern was cut off 100 times and is not tried any more"])
    }

    @Test func aDocumentGivesItsPaths() throws {
        let text = #"{"t":[{"c":41.50}],"n":null,"s":"a,b","big":12345678901234567890,"o":{"x":[1]},"b":true}"#
        let reading = try read("json: {c: 't[0].c', n: n, s: s, big: big, o: o, b: b, x: x.y}", text)
        #expect(reading.rows == [["41.5", nil, "a,b", "12345678901234567890", #"{"x":[1]}"#, "true", nil]])
        #expect(reading.problems == ["it has no 'x.y'"])
        #expect(reading.isParsed)
        #expect(try read("json: {c: c}", "{oops").problems == ["it is not JSON"])
        #expect(try read("json: {c: c}", "").problems == ["it is not JSON"])
    }

    @Test func columnsAreCells() throws {
        #expect(try read("csv: [a, _, b]", "1, 2 , 3.5\n").rows == [["1", "3.5"]])
        #expect(try read("csv: [a, b]", "1,\"x, \"\"y\"\"\"\r\n\n2,\n").rows == [["1", "x, \"y\""], ["2", nil]])
        #expect(try read("csv: [a, b], separator: blanks", "  7\t 8  ").rows == [["7", "8"]])
        #expect(try read("csv: [a, b], separator: tab", "7\t8 9").rows == [["7", "8 9"]])
        let short = try read("csv: [a, b]", "1\n2,3")
        #expect(short.rows == [["2", "3"]] && short.problems == ["it does not have 2 columns"] && short.isParsed)
        let heading = try read("csv: [util, power], separator: ';'", "util; power\n")
        #expect(heading.rows == [] && heading.isHeading && heading.isParsed && heading.problems == [])
        #expect(try read("csv: [a]", " \n").problems == ["it is empty"])
    }

    @Test func keysHaveValues() throws {
        let text = """
            MemTotal:       16384 kB
            MemFree:            5 kB
            load=0.5,temp= 41;name="a b" x(y):3
            /sys/class/thermal/zone0/temp:45000
            """
        let reading = try read(
            """
            key_value: {free: MemFree, load: load, temp: temp, name: name, xy: 'x(y)', zone: /sys/class/thermal/zone0/temp, \
            none: Mem}
            """, text)
        #expect(reading.rows == [["5", "0.5", "41", "a b", "3", "45000", nil]])
        #expect(reading.problems == ["it has no 'Mem'"])
        #expect(try read("key_value: [a]", "a= b").rows == [["b"]])
        #expect(try read("key_value: [a]", "a a=,a=1").rows == [["1"]])
        #expect(try !read("key_value: [a]", "ba=1 a").isParsed)
    }

    @Test func typesAreKept() throws {
        let reading = try read("csv: [n, t, u], types: {n: number, t: text}", "N/A,007,008")
        #expect(reading.rows == [[nil, "007", "008"]])
        #expect(reading.problems == ["'n' is not a number"])
        #expect(reading.values == [["t": "007", "u": 8]])
    }

    @Test func theTableQuotesWhatHasToBe() throws {
        let interval = try collector("command: x, interval: 1, parse: {csv: [a, b]}")
        #expect(
            String(decoding: SampleTable(interval).header, as: UTF8.self)
                == "time,target_time,boottime_s,tick,exit,a,b\n")
        let stream = try collector("stream: x")
        #expect(
            String(decoding: SampleTable(stream).header, as: UTF8.self) == "time,target_time,boottime_s,tick,text\n")
        func rows(_ collector: Collector, _ text: String, _ status: Int64?) -> String {
            let sample = Sample(tick: 3, uptime: 12.5, status: status, text: Array(text.utf8))
            let reading = collector.parse.map { SampleReading(sample.text, $0) }
            return String(decoding: SampleTable(collector).rows(sample, reading, nil), as: UTF8.self)
        }
        #expect(
            rows(interval, "1,\"x, y\"\n2,\"say \"\"no\"\"\"", 0)
                == ",,12.5,3,0,1,\"x, y\"\n,,12.5,3,0,2,\"say \"\"no\"\"\"\n")
        #expect(rows(interval, "oops", 1) == ",,12.5,3,1,,\n")
        // A combining mark makes a quote no other byte.
        #expect(rows(stream, "a\"\u{33F},b", nil) == ",,12.5,3,\"a\"\"\u{33F},b\"\n")
        #expect(rows(interval, "\"x\"\"\u{301}\",2", 0) == ",,12.5,3,0,\"x\"\"\u{301}\",2\n")
        #expect(rows(stream, "a \"b\"\n", nil) == ",,12.5,3,\"a \"\"b\"\"\"\n")
    }

    @Test func problemsAreOfFewKinds() throws {
        let interval = try collector("command: x, interval: 1, timeout: 2.5, max_sample_bytes: 4, parse: {csv: [a, b]}")
        func reasons(_ text: String, _ status: Int64, _ tools: Set<String> = ["setsid", "fractional-sleep"]) -> [String]
        {
            let sample = Sample(tick: 3, uptime: 12.5, status: status, text: Array(text.utf8))
            return SampleProblem.reasons(
                sample, interval.parse.map { SampleReading(sample.text, $0) }, interval,
                SampleTimeout(2.5, tools: tools))
        }
        #expect(reasons("1,2", 0) == [])
        #expect(reasons("1", 0) == ["it does not have 2 columns"])
        #expect(reasons("sh: x", 127) == ["cut off: it has more than 4 bytes (max_sample_bytes)"])
        #expect(reasons("", 127) == ["command not found (exit 127)"])
        #expect(reasons("", 124) == ["timed out after 2.5 s"])
        #expect(reasons("", 124, ["setsid"]) == ["timed out after 3.0 s"])
        #expect(reasons("", 143, ["timeout", "fractional-sleep"]) == ["timed out after 3.0 s"])
        #expect(reasons("", 124, []) == ["exit 124"])
        #expect(reasons("", 137) == ["killed by signal 9"])
        #expect(reasons("", 3) == ["exit 3"])
    }
}
