import Testing

@testable import YAML

@Suite struct DecodingTests {
    /// Decodes the value of `k` and gives it, or the messages.
    private func decode<Value>(_ yaml: String, _ read: (FieldReader) -> Value?) throws -> (Value?, [String]) {
        let context = DecodingContext(try Document(parsing: Array(yaml.utf8), file: "p.yaml"))
        let document = try Document(parsing: Array(yaml.utf8), file: "p.yaml")
        let fields = try #require(context.fields(document.root, "the file", keys: ["k", "timeout", "interval"]))
        let value = read(fields)
        do {
            return (value, try context.finish().map(\.message))
        } catch {
            return (value, error.all.map { "\($0.line):\($0.column): \($0.message)" })
        }
    }

    private enum Colour: String, CaseIterable { case red, green }

    @Test func takesTextVerbatim() throws {
        for (yaml, text) in [
            ("22", "22"), ("true", "true"), ("0x1F", "0x1F"), ("''", ""), ("'null'", "null"), ("yes", "yes"),
        ] {
            #expect(try decode("k: \(yaml)") { $0.string("k") }.0 == text)
        }
        for yaml in ["", "~", "null", "[a]", "{a: b}"] {
            #expect(try decode("k: \(yaml)") { $0.string("k") }.0 == nil)
        }
        #expect(try decode("k: !!str null") { $0.string("k") }.0 == "null")
    }

    @Test func readsNumbers() throws {
        let ints = [("0", 0), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1f", 31), ("010", 10)]
        for (yaml, value) in ints { #expect(try decode("k: \(yaml)") { $0.int("k") }.0 == value) }
        for yaml in ["1.5", "'1'", "0x-1", "1_000", "9223372036854775808", "a", "true"] {
            #expect(try decode("k: \(yaml)") { $0.int("k") }.0 == nil, "\(yaml)")
        }
        for (yaml, value) in [("1", 1.0), (".5", 0.5), ("-2.", -2), ("1e3", 1000), ("1.5E-1", 0.15)] {
            #expect(try decode("k: \(yaml)") { $0.number("k") }.0 == value)
        }
        for yaml in [".inf", ".nan", "infinity", "0x1p3", "1e", ".", "+", "1e999"] {
            #expect(try decode("k: \(yaml)") { $0.number("k") }.0 == nil, "\(yaml)")
        }
    }

    @Test func readsTruthAndDurations() throws {
        for (yaml, value) in [("true", true), ("FALSE", false)] {
            #expect(try decode("k: \(yaml)") { $0.bool("k") }.0 == value)
        }
        #expect(try decode("k: yes") { $0.bool("k") }.0 == nil)
        let durations = [
            ("30", 30.0), ("0.5", 0.5), ("500ms", 0.5), ("60s", 60), ("5m", 300), ("2h", 7200), ("1.5h", 5400),
            ("'5m'", 300),
        ]
        for (yaml, value) in durations { #expect(try decode("k: \(yaml)") { $0.duration("k") }.0 == value) }
        for yaml in ["-1", "5 m", "5d", "m", "-5m", "+5m", "'30'", "1e999s", ".inf", "infs", "0x1s"] {
            #expect(try decode("k: \(yaml)") { $0.duration("k") }.0 == nil, "\(yaml)")
        }
        #expect(
            try decode("k: 0") { $0.positiveDuration("k") }.1 == [
                "1:4: 'k' must be longer than 0; write a duration, such as 60s"
            ])
    }

    @Test func saysWhatWasFoundAndWhatToWrite() throws {
        #expect(
            try decode("k: \"22\"") { $0.int("k") }.1
                == ["1:4: 'k' must be a whole number, not the text '22'; write digits without quotes, such as 8"])
        #expect(
            try decode("k: [a]") { $0.duration("k") }.1
                == ["1:4: 'k' must be a duration, not a list; write a number of seconds, or 500ms, 60s, 5m, 2h"])
        #expect(
            try decode("k:") { $0.string("k") }.1
                == ["1:3: 'k' must be text, not empty; write it in quotes, such as \"abc\""])
        #expect(
            try decode("k: 1.5") { $0.bool("k") }.1
                == ["1:4: 'k' must be true or false, not the number 1.5; write true or false without quotes"])
        #expect(
            try decode("k: x") { $0.strings("k") }.1
                == ["1:4: 'k' must be a list, not the text 'x'; write [a, b], or one '- a' a line"])
        #expect(
            try decode("k: true") { $0.entries("k").map(\.count) }.1
                == ["1:4: 'k' must be a mapping, not true; write 'name: value', one a line"])
        #expect(
            try decode("k: gren") { $0.choice("k", of: Colour.self) }.1
                == ["1:4: 'k' must be one of red, green, not 'gren'; did you mean 'green'?"])
        #expect(
            try decode("timeout: 1") { $0.require("k", example: "k: v").map { _ in 0 } }.1
                == ["1:1: the file has no 'k'; write 'k: v'"])
    }

    @Test func reportsUnknownKeys() throws {
        #expect(
            try decode("timeuot: 1\nzzzzzz: 2\nTIMEOUT: 3\n") { _ in 0 }.1 == [
                "1:1: unknown key 'timeuot' in the file; did you mean 'timeout'?",
                "2:1: unknown key 'zzzzzz' in the file; known keys: k, timeout, interval",
                "3:1: unknown key 'TIMEOUT' in the file; did you mean 'timeout'?",
            ])
    }

    @Test func reportsTheParsersProblemsToo() throws {
        #expect(
            try decode("k: 1\nk: 2\nx: 3\n") { $0.bool("k") }.1.count == 3)
    }

    @Test func findsTheNearestName() {
        let names = KnownNames(["commands", "command", "env", "sudo"])
        for (typed, meant) in [("comands", "commands"), ("commnad", "command"), ("evn", "env"), ("sud", "sudo")] {
            #expect(names.closest(to: typed) == meant)
        }
        for typed in ["", "x", "timeout", "environment"] { #expect(names.closest(to: typed) == nil) }
        #expect(KnownNames([]).hint(for: "x", label: "known") == nil)
    }
}
