import Testing

@testable import JSON

/// Values that are kept as texts.
struct JSONListTests {
    private func list(_ count: Int) -> JSONList {
        var list = JSONList()
        for number in 0..<count {
            list.append(["n": JSON(number), "text": .string("a\nb \"\(number % 7)\""), "in": ["text": "x"]])
        }
        return list
    }

    @Test(arguments: [0, 1, 10_000]) func whatWasAddedComesInOrder(_ count: Int) {
        let list = list(count)
        #expect(list.count == count)
        #expect(list.isEmpty == (count == 0))
        let numbers = list.compactMap { $0["n"]?.int }
        #expect(numbers == Array(0..<Int64(count)))
        #expect(list.lines.reduce(0) { sum, _ in sum + 1 } == count)
    }

    @Test func aCopyIsAnotherList() {
        let one = list(5000)
        var other = one
        other.append(["n": 5000])
        #expect(one.count == 5000 && Array(one).last?["n"] == 4999)
        #expect(other.count == 5001 && Array(other).last?["n"] == 5000)
        #expect(one != other)
        #expect(one == list(5000))
    }

    @Test func valuesAreFoundByAMemberAtTheirTop() {
        let found = list(70).values(with: "text", "a\nb \"3\"").compactMap { $0["n"]?.int }
        #expect(found == Array(stride(from: 3, to: 70, by: 7)))
        #expect(list(70).values(with: "text", "x").isEmpty)
        #expect(list(70).values(with: "other", "x").isEmpty)
        #expect(JSONList().values(with: "text", "x").isEmpty)
    }

    @Test func valuesAreFoundHoweverAnotherProgramLaysThemOut() throws {
        let text = Array(#"{"a": [{"job": "0001-x", "n": 1}, {"job": "0002-y", "n": 2}]}"#.utf8)
        let list = try #require(try JSON.parse(text, lists: ["a"]).lists["a"])
        #expect(list.values(with: "job", "0002-y").compactMap { $0["n"]?.int } == [2])
    }

    /// Over several chunks, too.
    @Test(arguments: [3, 10_000]) func theLastOneThatHoldsATextIsFound(_ count: Int) {
        var list = JSONList()
        for number in 0..<count { list.append(["path": .string("\(number % 2 == 0 ? "even" : "odd")/\(number)")]) }
        #expect(list.last(holding: #""path":"even/"#) == ["path": .string("even/\((count - 1) / 2 * 2)")])
        #expect(list.last(holding: #""path":"even/0"#) == ["path": "even/0"])
        #expect(list.last(holding: "none") == nil)
    }

    @Test func listsOfAnObjectComeByThemselves() throws {
        let text =
            #"{"a": [1, {"x": [2]}], "b": [{"y": 1},"# + "\n"
            + #"{"z": "\n"}], "c": [], "d": "no list", "e": {"b": [5]}}"#
        let (value, lists) = try JSON.parse(Array(text.utf8), lists: ["b", "c", "d", "f"])
        #expect(value == ["a": [1, ["x": [2]]], "d": "no list", "e": ["b": [5]]])
        #expect(lists["b"].map(Array.init) == [["y": 1], ["z": "\n"]])
        #expect(lists["c"]?.isEmpty == true && lists["f"]?.isEmpty == true)
    }

    @Test func anElementOnSeveralLinesIsOneLine() throws {
        let (_, lists) = try JSON.parse(Array("{\"b\": [{\n\"y\":\n1}]}".utf8), lists: ["b"])
        #expect(lists["b"].map(Array.init) == [["y": 1]])
    }

    @Test(arguments: [
        "[{},]", "[{}", "[{}}", "[], \"b\": [{}]", "[{}] x", "[{]", "[1]", "[{}, null]", "[\"x\"]", "[[]]",
        #"[{"y"}]"#, #"[{"y": }]"#, #"[{"y": 1 "z": 2}]"#, #"[{"y": 01}]"#, #"[{"y": tru}]"#, #"[{"y": "\x"}]"#,
        #"[{"y": "\ud800"}]"#, "[{\"y\": \"\u{1}\"}]", #"[{"y": 1, "y": 2}]"#, #"[{"y": 1, "\u0079": 2}]"#,
        #"[{"y": {"z": [1, }]}}]"#, "[{\"y\": \"\n\"}]", #"[{"y": 1e999}]"#, #"[{y: 1}]"#, #"[{"y": 1,}]"#,
        "[{\"y\": \(String(repeating: "[", count: 130))", #"[{"y": "x}]"#,
    ])
    func whatIsNoListOfObjectsIsRefused(_ text: String) {
        let text = Array("{\"b\": \(text)}".utf8)
        #expect(throws: JSONError.self) { try JSON.parse(text, lists: ["b"]) }
    }

    @Test func aTextThatIsNotUTF8IsRefused() {
        let text = Array("{\"b\": [{\"y\": \"".utf8) + [0xFF] + Array("\"}]}".utf8)
        #expect(throws: JSONError.self) { try JSON.parse(text, lists: ["b"]) }
    }

    @Test func everyObjectThatIsOneIsTaken() throws {
        let many = (0..<100).map { "\"k\($0)\": \($0)" }.joined(separator: ", ")
        let objects = [
            "{}", #"{"y": [], "z": {}, "ü": "\u00fc", "\n": -1.5e3, "t": [true, false, null, {"t": 1}]}"#, "{\(many)}",
            #"{ "a" : { "a" : "\"}{" } }"#,
        ]
        let text = Array("{\"b\": [\(objects.joined(separator: " , "))]}".utf8)
        let (_, lists) = try JSON.parse(text, lists: ["b"])
        #expect(lists["b"].map(Array.init) == (try objects.map { try JSON(parsing: $0) }))
    }
}
