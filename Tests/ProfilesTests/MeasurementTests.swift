import JSON
import Profiles
import Testing
import YAML

/// `parse:` of collectors and `metrics:` of actions.
@Suite struct MeasurementTests {
    private let head = "name: n\nconnection: {host: h}\n"

    private func format(_ keys: String) throws -> SampleFormat {
        let profile = try parse(head + "background_collectors: {c: {stream: x, parse: {\(keys)}}}\n")
        return try #require(profile.collectors[0].parse)
    }

    private func parsing(_ keys: String) -> [String] {
        complaints(head + "background_collectors: {c: {stream: x, parse: {\(keys)}}}\n")
    }

    private func metric(_ keys: String) -> [String] {
        complaints(head + "actions: {a: {commands: [x], metrics: {m: {\(keys)}}}}\n")
    }

    @Test func fieldsComeInTheirOrder() throws {
        #expect(try format(#"regex: 'a(?<x>\d)(\d)(?<y>\d)'"#).fields.map(\.name) == ["x", "y"])
        #expect(try format("json: {b: x.y, a: 'z[0]'}").fields.map(\.name) == ["b", "a"])
        #expect(try format("csv: [a, _, b], separator: ';'").fields.map(\.name) == ["a", "b"])
        #expect(try format("key_value: [MemFree, Dirty]").fields.map(\.name) == ["MemFree", "Dirty"])
        let fields = try format("key_value: {free: MemFree, d: 'Active(file)'}, units: {free: kB}, types: {d: text}")
            .fields
        #expect(fields.map(\.unit) == ["kB", nil])
        #expect(fields.map(\.kind) == [nil, .text])
        guard case .csv(let columns, let separator) = try format("csv: [a, _, b], separator: blanks").syntax else {
            Issue.record("no CSV")
            return
        }
        #expect(columns == [0, nil, 1])
        #expect(separator == .blanks)
    }

    @Test func theResolvedProfileIsReadAsTheSame() throws {
        let text =
            head + """
                background_collectors:
                  r: {stream: x, parse: {regex: '(?<w>.)', units: {w: W}, types: {w: number}}}
                  j: {stream: x, parse: {json: {w: 'a["b c"][0]'}}}
                  c: {command: x, interval: 1, max_sample_bytes: none, parse: {csv: [a, _], separator: tab}}
                  k: {stream: x, parse: {key_value: [A]}}
                actions:
                  a:
                    commands: [x]
                    metrics:
                      m: {regex: 'x(?<y>.)(?<value>.)', unit: s, required: true}
                      n: {json: $, from: stderr}
                      count: {csv: x, separator: ',', from: 'o/{p}.csv'}
                """
        let profile = try parse(text)
        #expect(try parse(profile.text).resolved == profile.resolved)
        guard case .regex(_, group: 2) = profile.actions[0].metrics[0].source else {
            Issue.record("the group named value is meant")
            return
        }
        #expect(profile.actions[0].metrics.map(\.isCount) == [false, false, true])
    }

    @Test func mistakesOfAPatternHaveTheirPlace() {
        let prefix = head + "background_collectors: {c: {stream: x, parse: {regex: "
        #expect(
            complaints(prefix + "'a(?<x>b'}}}\n") == [
                "3:62: error: 'regex' cannot be compiled: missing closing parenthesis (at byte 7 of the pattern); correct it"
            ])
        #expect(
            complaints(head + "actions: {a: {commands: [x], metrics: {m: {regex: \"a\\tb[c\"}}}}\n").first?.hasPrefix(
                "3:57: error: 'regex' cannot be compiled: missing terminating ] for character class (at byte 5") == true
        )
        #expect(
            metric("json: 'a.b[x'") == [
                "3:55: error: 'json' is no path: expected a number, '*' or a key in double quotes; write one such as results[0].latency"
            ])
    }

    @Test func whatIsNoFormatIsRefused() {
        func message(_ keys: String) -> [String] { parsing(keys).map { String($0.drop { $0 != " " }.dropFirst()) } }
        #expect(
            message("regex: '(x)'") == [
                "error: the pattern has no named group; write (?<watts>[0-9.]+) around a value to name it"
            ])
        #expect(
            message("regex: '(?<tick>x)'") == [
                "error: a field cannot be 'tick', which every table has; give it another name"
            ])
        #expect(
            message("csv: [a, a]") == ["error: the field 'a' occurs twice; give each its own name"])
        #expect(message("csv: [_]") == ["error: 'csv' names no field; write 'csv: [watts, volts]'"])
        #expect(
            message("csv: [a], json: {a: b}") == [
                "error: 'parse' needs one of 'regex', 'json', 'csv' and 'key_value', and no more than one"
            ])
        #expect(
            message("csv: [a], separator: x") == [
                "error: 'separator' cannot be 'x'; write one of , ; | :, tab or blanks"
            ])
        #expect(message("key_value: [a], separator: ';'") == ["error: 'separator' is for 'csv'; remove it"])
        #expect(
            message("key_value: [watts], units: {wats: W}") == [
                "error: 'parse' has no field 'wats'; did you mean 'watts'?"
            ])
        #expect(
            message("csv: [a], types: {a: int}") == [
                "error: the type of 'a' must be one of number, text, not 'int'"
            ])
        #expect(message("key_value: [a, a]") == ["error: the key 'a' occurs twice; remove one"])
    }

    @Test func whatIsNoMetricIsRefused() {
        func message(_ keys: String) -> [String] { metric(keys).map { String($0.drop { $0 != " " }.dropFirst()) } }
        #expect(message("regex: 'x'") == ["error: the pattern has no group; put ( ) around the number"])
        #expect(
            message("regex: '(x)', csv: a") == [
                "error: metric 'm' needs one of 'regex', 'json' and 'csv'; remove all but one"
            ])
        #expect(message("json: a, separator: ','") == ["error: 'separator' is for 'csv'; remove it"])
        #expect(
            complaints(
                head + "actions: {a: {commands: [x], metrics: {count: {json: a}, n: {json: b, count: true}}}}\n"
            ) == ["3:58: error: only one metric of an action can be its 'count'; remove the others"])
        #expect(
            complaints(head + "background_collectors: {c: {stream: x, max_sample_bytes: 0}}\n") == [
                "3:58: error: 'max_sample_bytes' cannot be 0; write a number of bytes from 1 to 67108864, or none"
            ])
    }

    /// What a metric is taken from is fetched, once.
    @Test func filesOfMetricsAreArtifacts() throws {
        func patterns(_ keys: String) throws -> [String] {
            let profile = try parse(head + "actions: {a: {commands: [x], \(keys)}}\n")
            let values = try profile.parameters(for: profile.actions[0], given: [], standing: [("p", "v*")])
            return profile.prepare(profile.actions[0], with: values).artifacts.map(\.pattern)
        }
        func metrics(_ paths: String...) -> String {
            let entries = paths.enumerated().map { "m\($0): {from: '\($1)', json: a}" }
            return "metrics: {\(entries.joined(separator: ", "))}"
        }
        #expect(try patterns(metrics("/t/r.json", "/t/r.json", "stderr", "$ECR_OUT/x")) == ["/t/r.json"])
        #expect(try patterns("workdir: /w, " + metrics("a[1].json", "d/{p}")) == [#"a\[1].json"#, #"d/v\*"#])
        #expect(try patterns("artifacts: ['/t/*.json'], " + metrics("/t/r.json")) == ["/t/*.json"])
        #expect(try patterns("artifacts: [/t], " + metrics("/t/d/r.json")) == ["/t"])
        #expect(try patterns("workdir: /t, artifacts: [r.json], " + metrics("/t/r.json")) == ["r.json"])
        #expect(try patterns("artifacts: ['/t/*'], " + metrics("/u/r.json")) == ["/t/*", "/u/r.json"])
    }
}
