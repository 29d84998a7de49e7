import JSON
import Testing

@Suite struct JSONPathTests {
    private let document = #"{"a":{"b":[1,{"c":"x"}],"d e":true,"ü":2},"l":[[1,2],[3]],"n":null}"#

    @Test(arguments: [
        ("a.b[0]", "[1]"), ("a.b[1].c", #"["x"]"#), (#"a["d e"]"#, "[true]"), ("$.a.ü", "[2]"), ("n", "[null]"),
        ("l[*][*]", "[1,2,3]"), ("l[*][1]", "[2]"), ("a.x", "[]"), ("a.b.c", "[]"), ("a.b[7]", "[]"), ("n.x", "[]"),
        (#"["a"].b[0]"#, "[1]"), ("$[0]", "[]"),
    ])
    func leadsToValues(path: String, expected: String) throws {
        #expect(JSON.array(try JSONPath(path).values(in: try JSON(parsing: document))).text == expected)
    }

    @Test func theWholeDocument() throws {
        #expect(try JSONPath("$").values(in: 5) == [5])
        #expect(try JSONPath("[*]").values(in: [1, 2]) == [1, 2])
    }

    @Test(arguments: [
        ("", 0), ("a.", 2), ("a..b", 2), (".a", 0), ("a[", 2), ("a[x]", 2), ("a[1", 3), (#"a["b]"#, 2), ("a b", 1),
        ("a[-1]", 2), ("a[99999999999999999999]", 2),
    ])
    func aMistakeHasItsPlace(path: String, offset: Int) {
        #expect(throws: JSONError.self) { try JSONPath(path) }
        do { _ = try JSONPath(path) } catch { #expect(error.offset == offset, "\(error)") }
    }

    @Test(arguments: [
        ("1", JSON.int(1)), ("-0", 0), ("+5", 5), ("007", 7), ("1.50", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
        ("0.1", 0.1), ("12345678901234567890", "12345678901234567890"), ("0.10000000000000001", 0.1),
        ("0.123456789012345678901", "0.123456789012345678901"), ("9007199254740993.0", "9007199254740993.0"),
        ("1e400", "1e400"), ("1e-400", "1e-400"), ("0e999", 0.0),
    ])
    func numbersStayExact(text: String, expected: JSON) throws {
        #expect(JSON(number: text) == expected)
    }

    @Test(arguments: [
        "", "-", ".", "e5", "1e", "1e+", "0x10", "nan", "inf", "1 ", " 1", "1,5", "1.2.3", "1e99999999999",
    ])
    func textIsNoNumber(text: String) { #expect(JSON(number: text) == nil) }

    @Test func aDocumentKeepsItsDigits() throws {
        let text = #"[1,18446744073709551616,0.1,1e400,{"x":3.14159265358979323846}]"#
        #expect(
            try JSON(parsing: text.utf8, keepsDigits: true).text
                == #"[1,"18446744073709551616",0.1,"1e400",{"x":"3.14159265358979323846"}]"#)
        #expect(try JSON(parsing: "[18446744073709551616]").text == "[1.8446744073709552e+19]")
        #expect(JSON.string("18446744073709551616").measure == 18_446_744_073_709_551_616)
        #expect(JSON.string("1e400").measure == nil)
        #expect(JSON.string("x").measure == nil)
        #expect(JSON.int(3).measure == 3)
    }
}
