import JSON
import Testing

@Suite struct JSONParsingTests {
    private func error(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try JSON(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    private func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", JSON.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("-12", -12), ("[]", []),
            ("{}", [:]), ("\"\"", ""), (" \t\r\n[ 1 , 2 ] \n", [1, 2]), ("{ \"a\" : [ { } ] }", ["a": [[:]]]),
            ("1.5", 1.5), ("1e2", 100.0), ("-1.25E+2", -125.0), ("1E-2", 0.01), ("0.0", 0.0), ("1.0", 1.0),
        ] as [(String, JSON)])
    func aValueIsRead(_ text: String, _ value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test func integersAreExactToTheirBounds() throws {
        #expect(try JSON(parsing: "9223372036854775807") == .int(.max))
        #expect(try JSON(parsing: "-9223372036854775808") == .int(.min))
        #expect(try JSON(parsing: "9007199254740993") == .int(9_007_199_254_740_993))
        #expect(try JSON(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try JSON(parsing: "-9223372036854775809") == .double(-9_223_372_036_854_775_808))
    }

    @Test func doublesAreExactToTheirBounds() throws {
        #expect(try JSON(parsing: "1.7976931348623157e308") == .double(.greatestFiniteMagnitude))
        #expect(try JSON(parsing: "5e-324") == .double(.leastNonzeroMagnitude))
        #expect(try JSON(parsing: "1e-400") == .double(0))
        #expect(error("1e309")?.message == "a number is out of range")
        #expect(error("-1e309")?.message == "a number is out of range")
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "tru", "01", "-", "-a", "+1", ".5", "1.", "1.e2", "1e", "1e+", "0x10", "00",
        "-01", "NaN", "Infinity", "-Infinity", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{,}",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{'a':1}", "'a'", "\"", "\"a", "\"\\",
        "\"\\\"", "1 2", "[] []", "null,", "// c", "[1]//", "\u{FEFF}1", "\"\n\"", "\"\t\"", "\"\0\"", "\"\\x\"",
        "\"\\u12\"", "\"\\u12G4\"", "\"\\u+123\"", "\"\\U0041\"", "\u{A0}1",
    ])
    func whatIsNoJSONIsRefused(_ text: String) {
        let error = error(text)
        #expect(error != nil)
        #expect((0...text.utf8.count).contains(error?.offset ?? -1), "\(String(describing: error))")
    }

    @Test func errorsSayWhere() {
        #expect(error("[1, x]")?.description == "expected a value at byte 4")
        #expect(error("{\"a\":1,\"a\":2}")?.description == "duplicate key \"a\" at byte 10")
        #expect(error("[1] 2")?.description == "unexpected text after the value at byte 4")
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\u0000\u001f\u007F""#, "\0\u{1F}\u{7F}"), (#""\ud83d\ude00 \uD800\uDC00 \udbff\udfff""#, "😀 𐀀 \u{10FFFF}"),
        (#""\ufffe\uFFFF""#, "\u{FFFE}\u{FFFF}"), (#""é€😀""#, "é€😀"), ("\"\u{7F}\"", "\u{7F}"),
        (#""a\u0062c\nd""#, "abc\nd"),
    ])
    func escapesAreResolved(_ text: String, _ string: String) throws {
        let parsed = try JSON(parsing: text).string
        #expect(parsed.map { Array($0.utf8) } == Array(string.utf8))
    }

    @Test(arguments: [
        #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#, #""\ud800\u0041""#,
        #""\ude00\ud83d""#, #""\ud83d\"#, #""\ud83d\u"#, #""\ud83d\ude0"#,
    ])
    func loneSurrogatesAreRefused(_ text: String) {
        #expect(error(text) != nil)
    }

    @Test(
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func bytesThatAreNotUTF8AreRefused(_ bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        #expect(error(quote + bytes + quote)?.message == "the string is not UTF-8")
        #expect(error(quote + Array("\\n".utf8) + bytes + quote)?.message == "the string is not UTF-8")
        #expect(error(bytes) != nil)
        #expect(error(Array("{\"".utf8) + bytes + Array("\":1}".utf8)) != nil)
    }

    @Test func nestingHasALimit() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            #expect(error(nested(127)) == nil)
            #expect(error(nested(128))?.message == "nested too deeply")
            #expect(error(String(repeating: open, count: 1_000_000))?.message == "nested too deeply")
        }
        let wide = "[" + [String](repeating: "[]", count: 1000).joined(separator: ",") + "]"
        #expect(try JSON(parsing: wide).array?.count == 1000)
    }

    @Test func duplicateKeysAreRefused() {
        #expect(error(#"{"a":1,"b":2,"a":3}"#) != nil)
        #expect(error(#"{"a":1,"\u0061":3}"#) != nil)
        #expect(error(#"{"x":{"a":1},"y":{"a":1}}"#) == nil)
    }

    @Test func keysAreComparedByTheirBytes() throws {
        // Swift's == takes the two spellings of é for one; they are two names of files, and two keys.
        let text = "{\"\u{E9}\":1,\"e\u{301}\":2}"
        let value = try JSON(parsing: text)
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(value.text.utf8.elementsEqual(text.utf8))
    }

    @Test(.timeLimit(.minutes(1))) func manyKeysTakeLinearTime() throws {
        let members = (0..<100_000).map { "\"key \($0)\":\($0)" }
        let object = try #require(try JSON(parsing: "{" + members.joined(separator: ",") + "}").object)
        #expect(object.members.count == 100_000)
        #expect(error("{" + (members + ["\"key 7\":0"]).joined(separator: ",") + "}") != nil)
    }

    @Test func aTruncatedTextIsRefusedAtEveryByte() {
        let text = #"{"a":[1,-2.5e3,"x\né\ud83d\ude00€",true,false,null,{}],"b":{"c":[[]]},"d":"end"}"#
        let bytes = Array(text.utf8)
        #expect(error(bytes) == nil)
        for length in 0..<bytes.count {
            let error = error(Array(bytes[..<length]))
            #expect(error != nil, "\(length)")
            #expect((0...length).contains(error?.offset ?? -1), "\(length)")
        }
    }

    @Test func everyFlippedByteIsReadOrRefusedButNeverCrashes() {
        let bytes = Array(#"{"a":[1,-2.5e3,"x\n\u00e9"],"b":true}"#.utf8)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                guard let value = try? JSON(parsing: damaged) else { continue }
                #expect((try? JSON(parsing: value.bytes)) == value)
            }
        }
    }

    @Test func anyCollectionOfBytesIsRead() throws {
        let padded = Array("xx[1]xx".utf8)
        #expect(try JSON(parsing: padded[2..<5]) == [1])
        #expect(try JSON(parsing: "[1]".utf8.lazy.map { $0 }) == [1])
    }
}
