import Patterns
import Testing

@Suite struct PatternTests {
    private func text(_ pattern: String, _ subject: String, group: Int = 0) throws -> String? {
        let bytes = Array(subject.utf8)
        guard let range = try Pattern(pattern).firstMatch(in: bytes)?.ranges[group] else { return nil }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    @Test func findsGroups() throws {
        #expect(try text("latency: ([0-9.]+) ms", "a\nlatency: 12.5 ms\n", group: 1) == "12.5")
        #expect(try text("b+", "aac") == nil)
        let pattern = try Pattern(#"(?<w>\d+)x(y)?(?<h>\d+)"#)
        #expect(pattern.groups.map(\.name) == ["w", "h"])
        #expect(pattern.groups.map(\.number) == [1, 3])
        #expect(pattern.groupCount == 3)
        #expect(pattern.group(named: "h") == 3)
        let match = try #require(try pattern.firstMatch(in: Array("-12x34".utf8)))
        #expect(match.ranges == [1..<6, 1..<3, nil, 4..<6])
    }

    @Test func linesAreKnown() throws {
        #expect(try text("^b$", "a\nb\nc") == "b")
        #expect(try text("a.b", "a\nb") == nil)
        #expect(try text("(?s)a.b", "a\nb") == "a\nb")
    }

    @Test func goesOnBehindAMatch() throws {
        let (pattern, bytes) = (try Pattern("[0-9]+"), Array("1 22 333".utf8))
        var (starts, place): ([Int], Int) = ([], 0)
        while let match = try pattern.firstMatch(in: bytes, from: place) {
            starts.append(match.whole.lowerBound)
            place = match.whole.upperBound
        }
        #expect(starts == [0, 2, 5])
        #expect(try pattern.firstMatch(in: bytes, from: 99) == nil)
        #expect(try pattern.firstMatch(in: []) == nil)
    }

    @Test func bytesThatAreNoTextAreSteppedOver() throws {
        let bytes: [UInt8] = [0xFF, 0xC3] + Array("t=5".utf8) + [0x80, 0, 0xE2, 0x82]
        #expect(try Pattern("t=(.)").firstMatch(in: bytes)?.ranges[1] == 4..<5)
        #expect(try Pattern("5.").firstMatch(in: bytes) == nil)
        #expect(try text("ü(.)€", "üä€", group: 1) == "ä")
    }

    @Test(arguments: [
        ("(a", 2, "missing closing parenthesis"), ("a[b", 3, "missing terminating ] for character class"),
        ("(?<a>.)(?<a>.)", 12, ""), ("(?<1>.)", 3, ""), ("ü)", 2, "unmatched closing parenthesis"),
        (#"\C"#, 2, ""),
    ])
    func aMistakeHasItsPlace(pattern: String, offset: Int, message: String) throws {
        do {
            _ = try Pattern(pattern)
            Issue.record("'\(pattern)' was compiled")
        } catch {
            #expect(error.code == .invalid)
            #expect(error.offset == offset, "\(pattern): \(error)")
            if !message.isEmpty { #expect(error.message == message) }
        }
    }

    @Test func aPatternOfAnyLengthIsRefusedInTime() {
        do {
            _ = try Pattern(String(repeating: "(a", count: 100_000))
            Issue.record("it was compiled")
        } catch { #expect(error.code == .invalid) }
    }

    /// Without a limit the first takes 2 to the power of 40 steps.
    @Test(arguments: ["(a+)+$", #"^(?:a?){40}a{40}b"#, "(a|aa)+$", "(?:.*.*.*.*)*x", "(*NO_JIT)(a+)+$"])
    func onesThatBacktrackWithoutEndAreCutOff(pattern: String) throws {
        let bytes = Array(String(repeating: "a", count: 40).utf8) + Array("!".utf8)
        do {
            let match = try Pattern(pattern).firstMatch(in: bytes)
            // An optimisation of PCRE2 may see at once that there is none.
            #expect(match == nil)
        } catch { #expect(error.code == .cutOff) }
        #expect(throws: PatternError.self) { try Pattern("(a+)+$").firstMatch(in: bytes) }
    }

    @Test func deepRecursionIsCutOffAndLongTextIsNot() throws {
        let long = Array(String(repeating: "ab", count: 500_000).utf8)
        do { _ = try Pattern("(?:a|(b))*c").firstMatch(in: long) } catch { #expect(error.code == .cutOff) }
        #expect(try Pattern("(?<x>b)$").firstMatch(in: long)?.whole == 999_999..<1_000_000)
    }

    @Test func theVersionIsANumber() { #expect(PatternLibrary.version.first?.isNumber == true) }
}
