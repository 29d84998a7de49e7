import JSON
import Testing

@Suite struct JSONWritingTests {
    @Test(
        arguments: [
            (JSON.null, "null"), (true, "true"), (false, "false"), (0, "0"), (.int(.max), "9223372036854775807"),
            (.int(.min), "-9223372036854775808"), (1.5, "1.5"), (1.0, "1.0"), (.double(-0.0), "-0.0"),
            (.double(1e300), "1e+300"), (.double(.nan), "null"), (.double(.infinity), "null"), ("", "\"\""), ([], "[]"),
            ([:], "{}"), ([1, "a", [true]], "[1,\"a\",[true]]"),
            (["b": 1, "a": nil, "c": .null], "{\"b\":1,\"c\":null}"),
        ] as [(JSON, String)])
    func aValueIsWritten(_ value: JSON, _ text: String) {
        #expect(value.text == text)
        #expect(value.bytes == Array(text.utf8))
    }

    @Test func stringsAreEscapedAsLittleAsPossible() {
        #expect(JSON.string("\"\\/\n\r\t").text == #""\"\\/\n\r\t""#)
        #expect(JSON.string("\0\u{8}\u{C}\u{1B}\u{1F} \u{7F}").text == #""\u0000\u0008\u000c\u001b\u001f \u007f""#)
        #expect(JSON.string("é€😀\u{2028}").text == "\"é€😀\u{2028}\"")
    }

    @Test func everyScalarComesBack() throws {
        for start in stride(from: UInt32(0), to: 0x11_0000, by: 0x1000) {
            var string = ""
            for scalar in (start..<start + 0x1000).compactMap(UnicodeScalar.init) {
                string.unicodeScalars.append(scalar)
            }
            let back = try JSON(parsing: JSON.string(string).bytes).string
            #expect(back.map { $0.utf8.elementsEqual(string.utf8) } == true, "\(start)")
        }
    }

    @Test func numbersComeBackExactly() throws {
        let integers: [Int64] = [0, 1, -1, .max, .min, .max - 1, .min + 1, 1 << 53 + 1]
        for value in integers { #expect(try JSON(parsing: JSON.int(value).bytes) == .int(value)) }
        let doubles: [Double] = [
            0.1, 1.0 / 3, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1e16, 1e15,
            123456789.125, 2e-7,
            9_007_199_254_740_992, -1e22,
        ]
        for value in doubles { #expect(try JSON(parsing: JSON.double(value).bytes) == .double(value)) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { #expect(try JSON(parsing: JSON.double(value).bytes) == .double(value)) }
        }
    }

    @Test func aTreeComesBackInBothForms() throws {
        let value: JSON = [
            "z": [1, 2.5, "three", .null, [[], [:]]], "a": ["nested": ["deeper": true]], "": "empty key",
        ]
        #expect(try JSON(parsing: value.bytes) == value)
        #expect(try JSON(parsing: value.prettyText) == value)
        #expect(try JSON(parsing: value.bytes).object?.members.map(\.key) == ["z", "a", ""])
    }

    @Test func thePrettyFormIsForPeople() {
        let value: JSON = ["a": [1, [:], []], "b": ["c": "d"]]
        let text = """
            {
              "a": [
                1,
                {},
                []
              ],
              "b": {
                "c": "d"
              }
            }
            """
        #expect(value.prettyText == text)
        #expect(JSON.null.prettyText == "null")
    }
}

@Suite struct JSONValueTests {
    @Test func anObjectKeepsTheOrderOfItsKeys() {
        var object: JSONObject = ["b": 1, "a": 2]
        object["c"] = 3
        object["b"] = 4
        #expect(object.members.map(\.key) == ["b", "a", "c"])
        object["a"] = nil
        object["none"] = nil
        #expect(object.members.map(\.key) == ["b", "c"])
        object.merge(["c": 5, "d": 6])
        #expect(JSON.object(object).text == #"{"b":4,"c":5,"d":6}"#)
    }

    @Test func equalityIgnoresTheOrderOfKeys() {
        #expect((["a": 1, "b": 2] as JSON) == ["b": 2, "a": 1])
        #expect((["a": 1] as JSON) != ["a": 1, "b": 2])
        #expect((["a": 1] as JSON) != ["b": 1])
        #expect(JSON.int(1) != .double(1))
    }

    @Test func accessorsGiveTheirKindOnly() {
        let value: JSON = ["i": 7, "d": 2.5, "w": .double(3), "big": .double(1e300), "s": "x", "l": [1], "b": true]
        #expect(value["i"]?.int == 7 && value["i"]?.double == 7)
        #expect(value["d"]?.int == nil && value["d"]?.double == 2.5)
        #expect(value["w"]?.int == 3)
        #expect(value["big"]?.int == nil)
        #expect(value["s"]?.string == "x" && value["s"]?.int == nil)
        #expect(value["l"]?.array == [1] && value["b"]?.bool == true)
        #expect(value["none"] == nil && value["i"]?["x"] == nil)
        #expect(JSON(strings: ["a", "b"]) == ["a", "b"])
        #expect(JSON(3) == 3)
    }
}
