import Testing
import YAML

@testable import Profiles

/// How the lexer reads each placeholder of a text.
private func verdicts(_ text: String) -> [ShellLexer.Verdict] {
    ShellLexer.verdicts(for: Template.pieces(of: Array(text.utf8)))
}

/// `bare`, `quoted` or the reason of the refusal, one a placeholder.
private func reading(_ text: String) -> [String] {
    verdicts(text).map {
        switch $0 {
        case .allowed(.bare, _, _): "bare"
        case .allowed(.doubleQuoted, _, _): "quoted"
        case .refused(let reason): "\(reason)"
        }
    }
}

/// The command that would interpret each value again.
private func interpreters(_ text: String) -> [String?] {
    verdicts(text).map { verdict -> String? in
        if case .allowed(_, _, let interpreter) = verdict { interpreter } else { "refused" }
    }
}

@Suite struct TemplateTests {
    private func names(_ text: String) -> [String] {
        Template(plain: text, mark: Mark(line: 1, column: 1)).parameterNames
    }

    @Test(arguments: [
        "${VAR}", "${x:-y}", "{print $1}", "{a,b}", "{1a}", "{}", "{ a }", "{a-b}", "{a", "a}", "{é}", "$${{a}",
        "{{a}}",
        "${{a}}x", "{a\n}", "{{.Names}}", "$$${a}",
    ])
    func leavesTheRestUntouched(text: String) {
        let hasInner = text.hasPrefix("$${{") || text.hasPrefix("${{")
        #expect(names(text) == (hasInner ? ["a"] : []))
    }

    @Test func findsPlaceholders() {
        #expect(names("{a}{_b9} x{C}y {a} {{{d}") == ["a", "_b9", "C", "d"])
        #expect(names("$${a}") == ["a"])
        #expect(names("{a}\u{301}{b}") == ["a", "b"])
    }

    @Test func unfoldsEscapedBraces() {
        let text = Template(plain: "{{a}} {{b} {{{c}}}", mark: Mark(line: 1, column: 1))
        var values = ParameterValues()
        values.add("b", "B")
        #expect(text.plainText(with: values) == "{a} {B {{c}}")
    }

    @Test func rendersGlobsLiterally() {
        let text = Template(plain: "/tmp/{a}/*.csv", mark: Mark(line: 1, column: 1))
        var values = ParameterValues()
        values.add("a", "x*?[y]\\é{a}")
        #expect(text.globPattern(with: values) == "/tmp/x\\*\\?\\[y]\\\\é{a}/*.csv")
        #expect(text.plainText(with: values) == "/tmp/x*?[y]\\é{a}/*.csv")
    }

    @Test func findsMentions() {
        let text = Template(
            plain: "$ECR_PARAM_A ${ECR_PARAM_B_2:-x} ECR_PARAM_ \\ECR_PARAM_C", mark: Mark(line: 1, column: 1))
        #expect(text.environmentMentions == ["A", "B_2", "C"])
    }
}

@Suite struct ShellLexerTests {
    @Test(arguments: [
        ("{a}", ["bare"]), ("x{a}y {b}", ["bare", "bare"]), ("\"{a}\" {b}", ["quoted", "bare"]),
        ("\"x {a}{b}\"{c}", ["quoted", "quoted", "bare"]), ("echo '' {a}", ["bare"]), ("echo 'it'\\''s' {a}", ["bare"]),
        ("echo \\' {a} \\\" {b}", ["bare", "bare"]), ("echo \"\\\"{a}\"", ["quoted"]), ("echo \\\\{a}", ["bare"]),
        ("echo \"\\\\{a}\"", ["quoted"]), ("echo \\\n{a}", ["bare"]), ("a=$(echo {a})", ["bare"]),
        ("a=\"$(echo {a} \"{b}\")\" {c}", ["bare", "quoted", "bare"]), ("\"$(echo ')' \"(\")\" {a}", ["bare"]),
        ("$( (echo {a}) ) {b}", ["bare", "bare"]), ("${x} {a} \"${y:-z}{b}\"", ["bare", "quoted"]),
        ("${x:-'}'} {a}", ["bare"]), ("${x:-\"}\"} {a}", ["bare"]), ("${#x} $# {a} $$ {b}", ["bare", "bare"]),
        ("$${a}", ["bare"]), ("$((1+(2)))$((3)) {a}", ["bare"]), ("`date` {a}", ["bare"]), ("x#y {a}", ["bare"]),
        ("echo # no\n{a}", ["bare"]), ("(cd x; ls {a}) > {b}", ["bare", "bare"]),
        ("case {a} in x) ls {b};; esac", ["bare", "bare"]),
        ("case x in {a}) ls;; esac", ["bare"]), ("f() { ls {a}; }; f {b}", ["bare", "bare"]),
        ("a && {b} || {c} & {d}", ["bare", "bare", "bare"]),
        ("cat <<< {a}", ["bare"]), ("awk '{print $1}' {a}", ["bare"]), ("echo \"$\"{a}", ["bare"]),
        ("grep \"x$\" {a}", ["bare"]),
        ("[ -n \"{a}\" ]", ["quoted"]), ("x=[{a}]", ["bare"]), ("echo \"'{a}'\"", ["quoted"]),
        ("echo '\"'{a}'\"'", ["bare"]),
        ("cat <<EOF\nhi ${X} $(date)\nEOF\necho {a}", ["bare"]), ("cat <<-'E F'\n\thi 'x\n\tE F\necho {a}", ["bare"]),
        ("cat <<A <<\"B\"; echo {x}\n1'\nA\n\"\nB\n{a}", ["bare", "bare"]), ("x=$(cat <<E\n)\nE\n) {a}", ["bare"]),
        ("echo $'a' {a}", ["bare"]), ("echo \"\\${a}\" \\${a} {b}", ["bare"]), ("a 2>&1 >{a} <{b}", ["bare", "bare"]),
    ])
    func allows(text: String, expected: [String]) {
        #expect(reading(text) == expected)
    }

    @Test(arguments: [
        ("'{a}'", ["singleQuotes"]), ("'x\n{a}' {b}", ["singleQuotes", "bare"]),
        ("$'{a}\\n' {b}", ["dollarQuotes", "bare"]),
        ("`ls {a}` {b}", ["backticks", "bare"]), ("\"`ls {a}` {b}\"", ["backticks", "quoted"]),
        ("`\\`{a}\\``", ["backticks"]),
        ("$(({a}+1)) {b}", ["arithmetic", "bare"]), ("\"$(({a}))\"", ["arithmetic"]), ("(({a}))", ["arithmetic"]),
        ("$(( $(echo {a}) ))", ["arithmetic"]), ("# {a}\n{b}", ["comment", "bare"]), ("ls ;# {a}", ["comment"]),
        ("x{a}# y {b}", ["bare", "bare"]), ("${x:-{a}}", ["expansion"]), ("\"${x:-{a}}\"", ["expansion"]),
        ("${x#{a}} {b}", ["expansion", "bare"]),
        ("${x:-$(echo {a})} {b}", ["expansion", "bare"]), ("\\{a} {b}", ["afterBackslash", "bare"]),
        ("\"\\{a}\"", ["afterBackslash"]),
        ("\\$${a}", ["afterDollar"]), ("\"\\$${a}\"", ["afterDollar"]), ("a[{b}]=1", ["subscripted"]),
        ("\"a[\"{b}", ["subscripted"]), ("a[$(x {b})]=1", ["subscripted"]),
        ("cat <<E\n{a}\nE\n{b}", ["hereDocument", "bare"]), ("cat <<'E'\n{a}\nE\n{b}", ["hereDocument", "bare"]),
        ("cat <<-E\n\t{a}\n\tE\n{b}", ["hereDocument", "bare"]), ("cat <<E\n{a}", ["hereDocument"]),
        ("cat <<{a}\n{b}", ["hereDocument", "doubt"]),
        ("cat <<\"{a}\"\n{b}", ["hereDocument", "doubt"]),
    ])
    func refuses(text: String, expected: [String]) {
        #expect(reading(text) == expected)
    }

    /// Spots that shells, or versions of one, read in different ways.
    @Test(arguments: [
        "$[1] {a}", "$\"x\" {a}", "$\\\n{a}", "\"$\\\n{a}\"", "<\\\n< {a}", "(\\\n( {a}", "$(\\\n( {a}",
        "$((echo a); echo b) {a}", "((echo a); echo b) {a}", "$(case x in x) echo;; esac) {a}", "$(echo # it's\n) {a}",
        "\"${x:-'}\" {a}", "\"${x:-\"y\"}\" {a}", "${x:-{} {a}", "$'\\'' {a}", "$'\\\\' {a}", "`echo '` {a}",
        "$(( '1' )) {a}",
        "cat <<$E\n{a}", "cat <<\\E\n{a}", "cat <<E \"\n\" {a}", "x=$(cat <<E) {a}", "cat <<E $(\n) {a}",
        "cat <<E\nx\\\nE\n{a}", "cat <<E\n$(echo ')'\nE\n{a}", "cat <<E\n`\nE\n{a}", "cat <<E\n${x:-\nE\n{a}",
        "cat << \n{a}",
        "${x:-$'a'} {a}", "cat <<E '\n' {a}", "cat <<\"a$b\"\n{a}",
    ])
    func refusesInDoubt(text: String) {
        #expect(reading(text) == ["doubt"])
    }

    @Test func givesAVerdictForEveryPlaceholder() {
        let fragments = [
            "{p}", "'", "\"", "`", "$(", "$((", "${", ")", "}", "\\", "\n", "#", " ", "<<E", "<<'E'", "\nE\n", "case ",
            "$", "(", "$'",
        ]
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += fragments[Int(state >> 33) % fragments.count]
            }
            let count = Template.pieces(of: Array(text.utf8)).count {
                if case .placeholder = $0 { true } else { false }
            }
            #expect(verdicts(text).count == count, "\(text)")
        }
    }

    @Test func survivesDeepNesting() {
        #expect(reading(String(repeating: "$(", count: 100_000) + "{a}") == ["bare"])
    }

    @Test(arguments: [
        ("eval {a}", "eval"), ("eval \"x {a}\"", "eval"), ("sh -c \"x {a}\"", "sh -c"), ("bash -lc {a}", "bash -c"),
        ("ssh h {a}", "ssh"), ("awk \"/{a}/\" f", "awk"), ("awk {a} f", "awk"), ("sed -e s/x/{a}/ f", "sed"),
        ("sed -i {a}", "sed"),
        ("su -c \"x {a}\" u", "su -c"), ("ls | xargs rm {a}", "xargs"), ("python3 -c \"print('{a}')\"", "python3 -c"),
        ("sudo -u bob sh -c \"{a}\"", "sh -c"), ("timeout 5 ssh h {a}", "ssh"), ("X=1 /bin/sh -c {a}", "sh -c"),
        ("ls; if eval {a}; then :; fi", "eval"), ("eval \"$(echo {a})\"", "eval"), ("$(sh -c {a})", "sh -c"),
        ("a && let {a}", "let"),
    ])
    func seesInterpreters(text: String, interpreter: String) {
        #expect(interpreters(text) == [interpreter])
    }

    @Test(arguments: [
        "echo ssh {a}", "sh run.sh {a}", "bash -c 'echo \"$1\"' _ {a}", "awk '{ x }' {a}", "sed -n 1p {a}",
        "ssh h; echo {a}",
        "eval x > {a}", "ssh h | tee {a}", "{a}", "python3 x.py {a}", "echo sh -c {a}",
    ])
    func seesNoInterpreterElsewhere(text: String) {
        #expect(interpreters(text) == [nil])
    }

    @Test(arguments: [
        ("ls {a}", true), ("ls {a};", true), ("({a})", true), ("ls x{a}", false), ("ls {a}x", false),
        ("ls {a}{b}", false),
        ("ls > {a}", false), ("ls \"{a}\"", false), ("ls ''{a}", false), ("x={a}", false), ("ls > x {a}", true),
    ])
    func knowsWhatStandsAlone(text: String, expected: Bool) {
        guard case .allowed(_, let alone, _)? = verdicts(text).first else {
            Issue.record("refused")
            return
        }
        #expect(alone == expected)
    }
}
