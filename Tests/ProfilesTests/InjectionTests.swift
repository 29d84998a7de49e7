import Testing
import YAML

@testable import Profiles

/// Runs rendered commands with real shells: the value must arrive byte for byte, and nothing else may happen.
@Suite struct InjectionTests {
    static let hostile = [
        "", "plain", "two words", "  spaces  ", "'", "''", "'\\''", "\"", "\\", "\\\\", "a\\", "$HOME", "${HOME}",
        "$(touch x)", "`touch x`", "\"$(touch x)\"", "'$(touch x)'", "; touch x", "| touch x", "& touch x",
        "&& touch x",
        "\"; touch x; \"", "'; touch x; '", ") touch x", "}; touch x", "# no", "*", "?", "[a-z]", "~", "~root", "!!",
        "!x",
        "{a,b}", "{p}", "{{p}}", "$'\\x41'", "<(touch x)", "> x", "<<E", "a\tb", "\u{301}", "日本 é", "\u{A0}", "a\rb",
        "-n", "--", "\n", "a\nb", "\ntouch x\n", "'\ntouch x\n'", "E\ntouch x", "\\\n", "%s%n", "\u{1b}[2J", "$((1/0))",
        "x[$(touch x)]",
    ]

    /// What comes before and after the value, as the shell will print it; `@` stands for the value.
    static let texts: [(template: String, output: String)] = [
        ("printf %s {p}", "@"), ("printf %s \"{p}\"", "@"), ("printf %s a{p}b", "a@b"),
        ("printf %s \"a {p} b\"", "a @ b"),
        ("printf %s {p}{p}", "@@"), ("printf %s \"{p}{p}\"", "@@"), ("printf %s 'x'{p}\"y{p}\"", "x@y@"),
        ("x={p}; printf %s \"$x\"", "@"), ("x=\"<{p}>\"\nprintf %s \"$x\"", "<@>"), ("printf %s \\\n{p}", "@"),
        ("printf %s \"\\\"{p}\\\\\"", "\"@\\"), ("printf %s \"$(printf %s. {p})\"", "@."),
        ("printf %s \"$(printf %s. \"{p}\")\"", "@."), ("printf %s $(( (1 + 2) * 3 )){p}", "9@"),
        ("case {p} in {p}) printf %s {p};; *) printf no;; esac", "@"), ("f() { printf %s \"$1\"; }; f {p}", "@"),
        ("cat <<E >/dev/null\n'\"\n${HOME}\nE\nprintf %s {p}", "@"),
        ("cat <<-'E' >/dev/null\n\t$(x '\n\tE\nprintf %s {p}", "@"),
        ("for i in {p}; do printf %s \"$i\"; done", "@"), ("(printf %s {p}) 2>&1", "@"),
        ("printf %s x#{p} # it's", "x#@"),
        ("printf %s {{p}}{p}", "{p}@"), ("printf %s \"${NONE:-d}{p}\"", "d@"), ("printf %s ${NONE:-'}'}{p}", "}@"),
        ("printf %s \"$\"{p}", "$@"), ("printf %s \"\\${p}\"{p}", "${p}@"), ("true # '\nprintf %s {p}", "@"),
        ("printf %s `printf '%s' b`{p}", "b@"), ("printf %s \"$(echo ')' >/dev/null; printf %s. {p})\"", "@."),
        ("if test {p} = \"{p}\"; then printf %s {p}; fi", "@"),
    ]

    private func render(_ text: String, _ value: String) throws -> String {
        let action = try parse(profile(command: text, parameters: "{p: {allow: [newline, leading_dash]}}"))
        let values = try action.parameters(for: action.actions[0], given: [("p", value)], standing: [])
        return action.prepare(action.actions[0], with: values).commands[0]
    }

    @Test(arguments: Shell.all.map(\.command)) func valuesAreLiteralWords(shell: String) throws {
        for (template, output) in Self.texts {
            // One shell runs all values of a template; each result is closed by a byte that no value has.
            let values = Self.hostile.filter { !template.contains("test ") || $0 != "!!" }
            let commands = try values.map { "(\n\(try render(template, $0))\n)\nprintf '\\001'" }
            let outcome = Shell(command: shell).run(commands.joined(separator: "\n"))
            let expected = values.map {
                output.split(separator: "@", omittingEmptySubsequences: false).joined(separator: $0) + "\u{1}"
            }
            let found = String(decoding: outcome.output, as: UTF8.self).utf8.split(separator: 1).map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(outcome.output.elementsEqual(expected.joined().utf8), "\(template) gave \(found)")
            #expect(outcome.files == [], "\(template)")
        }
    }

    /// The test above would be worthless if a hostile value could not show itself.
    @Test func theTestCanFail() {
        let outcome = Shell(command: "/bin/sh").run("printf %s $(touch x)")
        #expect(outcome.files == ["x"])
    }

    @Test(arguments: Shell.all.map(\.command)) func wordsAreSeveralWords(shell: String) throws {
        let text = profile(command: "printf '<%s>' {w} end", parameters: "{w: {type: words}}")
        let profile = try parse(text)
        for (value, output) in [
            ("a b", "<a><b><end>"), ("", "<end>"), (" '  \"\t$(touch,x) ", "<'><\"><$(touch,x)><end>"),
            ("* ~", "<*><~><end>"),
        ] {
            let values = try profile.parameters(for: profile.actions[0], given: [("w", value)], standing: [])
            let outcome = Shell(command: shell).run(profile.prepare(profile.actions[0], with: values).commands[0])
            #expect(String(decoding: outcome.output, as: UTF8.self) == output)
            #expect(outcome.files == [])
        }
    }

    @Test func theWayOutWorks() throws {
        let text = profile(command: "printf '%s|%s' \"$ECR_PARAM_P\" \"${ECR_PARAM_Q}\"", parameters: "{P: {}}")
        let profile = try parse(text)
        let values = try profile.parameters(
            for: profile.actions[0], given: [("P", "'$(touch x)"), ("q", "2")], standing: [])
        let prepared = profile.prepare(profile.actions[0], with: values)
        for shell in Shell.all {
            let outcome = shell.run(prepared.commands[0], environment: prepared.environment)
            #expect(String(decoding: outcome.output, as: UTF8.self) == "'$(touch x)|2")
        }
    }

    @Test func rendersAsDocumented() throws {
        #expect(try render("x {p} \"a {p} b\" {{p}}", "it's") == "x 'it'\\''s' \"a \"'it'\\''s'\" b\" {p}")
    }
}
