import Testing

@testable import YAML

@Suite struct DocumentTests {
    private func parse(_ text: String) throws(Diagnostics) -> Document {
        try Document(parsing: Array(text.utf8), file: "p.yaml")
    }

    /// The description of what a text is refused with.
    private func refusal(_ text: String) -> String { refusal(Array(text.utf8)) }

    private func refusal(_ bytes: [UInt8]) -> String {
        do {
            let document = try Document(parsing: bytes, file: "p.yaml")
            return document.problems.map(\.description).joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    /// A tree in one line: mappings as `{a: b}`, sequences as `[a]`, scalars by their text.
    private func show(_ node: Node) -> String {
        switch node.content {
        case .scalar(let scalar): "<\(scalar.text)>"
        case .sequence(let items): "[\(items.map(show).joined(separator: " "))]"
        case .mapping(let members): "{\(members.map { "\($0.name): \(show($0.value))" }.joined(separator: " "))}"
        }
    }

    @Test func readsATree() throws {
        let document = try parse(
            "a: 1\nb: [x, 'y z', \"q\\tr\"]\nc:\n  - d: |\n      one\n      two\n  - >\n    f\n    g\n")
        #expect(show(document.root) == "{a: <1> b: [<x> <y z> <q\tr>] c: [{d: <one\ntwo\n>} <f g\n>]}")
        #expect(document.problems.isEmpty)
    }

    @Test func knowsWhereThingsStand() throws {
        let root = try parse("\u{FEFF}ä: 1\nlist:\n  - é é: x\n").root
        guard case .mapping(let members) = root.content, case .sequence(let items) = members[1].value.content,
            case .mapping(let inner) = items[0].content
        else {
            Issue.record("not the tree expected")
            return
        }
        #expect(members[0].mark == Mark(line: 1, column: 1))
        #expect(members[0].value.mark == Mark(line: 1, column: 4))
        #expect(members[1].value.mark == Mark(line: 3, column: 3))
        #expect(inner[0].mark == Mark(line: 3, column: 5))
        #expect(inner[0].value.mark == Mark(line: 3, column: 10))
    }

    @Test func followsAliases() throws {
        #expect(
            show(try parse("a: &x [1, 2]\nb: *x\nc: {d: *x}\n").root) == "{a: [<1> <2>] b: [<1> <2>] c: {d: [<1> <2>]}}"
        )
    }

    @Test func refusesAliasesToNothing() {
        #expect(
            refusal("a: *x\n")
                == "p.yaml:1:4: error: '*x' names nothing; put '&x' before a value above this line\na: *x\n   ^")
        #expect(refusal("a: &x [*x]\n").contains("'*x' names nothing"))
    }

    @Test func refusesABillionLaughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(refusal(text).contains("more than 10000 values, aliases followed; use fewer aliases"))
    }

    @Test func refusesDeepAliases() {
        var text = "a0: &a0 [x]\n"
        for level in 1...70 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(refusal(text).contains("nested more than 64 levels deep; use fewer brackets"))
    }

    @Test(arguments: ["[", "{a: ", "- "]) func refusesDeepNesting(opening: String) {
        #expect(refusal(String(repeating: opening, count: 60_000)).contains("nested more than 64 levels deep"))
    }

    @Test func acceptsTheDeepestNesting() throws {
        let deepest = String(repeating: "[", count: 64) + "x" + String(repeating: "]", count: 64)
        _ = try parse(deepest)
        #expect(refusal("[" + deepest + "]").contains("nested more than 64 levels deep"))
    }

    @Test func reportsDuplicateAndImpossibleKeysTogether() {
        #expect(
            refusal("a: 1\nb: 2\na: 3\n? [x]\n: 4\n\"\": 5\nc: !!binary x\n") == """
                p.yaml:3:1: error: the key 'a' occurs twice; remove one of the two
                a: 3
                ^
                p.yaml:4:3: error: a key must be text; write it before ': '
                ? [x]
                  ^
                p.yaml:6:1: error: a key must be text; write it before ': '
                "": 5
                ^
                p.yaml:7:4: error: the tag 'tag:yaml.org,2002:binary' is not supported; remove it
                c: !!binary x
                   ^
                """)
    }

    @Test func refusesWhatIsNotOneTextDocument() {
        #expect(refusal("") == "p.yaml:1:1: error: the file is empty; write at least one key\n\n^")
        #expect(refusal("# only\n").contains("the file is empty"))
        #expect(
            refusal("a: 1\n---\nb: 2\n")
                == "p.yaml:2:1: error: a second document starts here; use one file each\n---\n^")
        #expect(refusal([0x61, 0xFF]) == "p.yaml:1:1: error: the file is not UTF-8 text; save it as UTF-8\n\n^")
        #expect(refusal([0xFF, 0xFE, 0x61, 0x00]).contains("not UTF-8"))
        #expect(
            refusal("a: \u{0}b\n") == """
                p.yaml:1:4: error: the character U+0 is not allowed in YAML; write it as an escape in double quotes
                a: \\u{0}b
                   ^
                """)
        #expect(refusal("a: \"\\0\"\n").contains("1:4: error: text must not contain NUL"))
        #expect(
            refusal(String(repeating: "#", count: 262_145)).contains("the file has 262145 bytes; the limit is 262144"))
    }

    @Test(arguments: [
        ("a: b: c\n", "p.yaml:1:5: error: unexpected ':'; put text that contains ': ' in quotes\na: b: c\n    ^"),
        (
            "a:\n\tb: 1\n",
            """
            p.yaml:2:1: error: a value cannot start with this character; indent with spaces, not tabs, \
            and put such text in quotes
            \tb: 1
            ^
            """
        ),
        (
            "a: \"\\d\"\n",
            "p.yaml:1:5: error: unknown escape in double quotes; write '\\\\', or use single quotes\na: \"\\d\"\n    ^"
        ),
    ])
    func explainsBrokenSyntax(text: String, message: String) {
        #expect(refusal(text) == message)
    }

    @Test(arguments: [
        "a: [1, 2\n", "a: {b\n", "a: 'x\n", "a: \"x\n", "a\nb: 1\n", "- a\nb: 1\n", "a: !x! y\n", "@: 1\n", "%",
    ])
    func neverAcceptsBrokenSyntax(text: String) {
        #expect(refusal(text).contains(": error: "))
    }

    @Test func saysWhereInsideAScalar() throws {
        let texts: [(yaml: String, mark: Mark)] = [
            ("a: xx {p} y", Mark(line: 1, column: 7)),
            ("a: 'it''s {p}'", Mark(line: 1, column: 11)),
            ("a: \"\\x41\\n\\\"é\\u00e9 {p}\"", Mark(line: 1, column: 21)),
            ("a: \"one\n   two \\\n   {p}\"", Mark(line: 3, column: 4)),
            ("a: |\n    one\n      {p}\n", Mark(line: 3, column: 7)),
            ("a: >- # note {p}\n    one\n    two {p}\n", Mark(line: 3, column: 9)),
            ("a: one\n  two\n  {p}", Mark(line: 3, column: 3)),
        ]
        for (yaml, mark) in texts {
            let document = try parse(yaml)
            guard case .mapping(let members) = document.root.content, let text = members[0].value.scalar?.text else {
                Issue.record("no scalar in \(yaml)")
                continue
            }
            let bytes = Array(text.utf8)
            let offset = try #require(bytes.firstIndex(of: UInt8(ascii: "{")))
            #expect(document.source.mark(in: members[0].value, atByte: offset) == mark, "\(yaml)")
        }
    }
}
