import Testing
import YAML

@testable import Profiles

/// Random texts, most of them nonsense: whatever the lexer lets pass, no shell may execute a part of a value.
@Suite struct InjectionFuzzTests {
    static let fragments = [
        "{p}", "{p}", "{p}", "'", "\"", "\"", "`", "$(", "$((", "${", "${y:-", ")", "))", "}", "\\", "\\\n", "\n", "#",
        " ",
        " ", "<<E", "<<'E'", "<<-E", "\nE\n", "\n\tE\n", "case ", " in ", "esac", ";;", "$", "(", "((", "$'", "a", "=",
        "[", "]",
        ";", "&", "|", ">", "<", "printf ", "true ", "{", "1", "{{p}}", "$\"", "$[", "a[", "if ", "then ", "fi", "\t",
    ]

    static let values = [
        "'\"`$(touch x)`\"'\ntouch x\n", "$(touch x)", "`touch x`", ";touch x;", "'$(touch x)'", "\";touch x;\"",
        "\ntouch x\nE\ntouch x\n",
        ")touch x\n", "}`touch x`", "a[$(touch x)]", "\\';touch x;'", "))\ntouch x\n", "# \ntouch x",
    ]

    /// A fixed sequence (Knuth's MMIX generator), so that a failure can be repeated.
    struct Generator {
        var state: UInt64

        mutating func next(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
    }

    private func text(_ generator: inout Generator) -> String {
        (0..<3 + generator.next(below: 10)).map { _ in Self.fragments[generator.next(below: Self.fragments.count)] }
            .joined()
    }

    @Test(arguments: Shell.all.map(\.command)) func nothingOfAValueIsExecuted(shell: String) throws {
        var generator = Generator(state: 2026)
        var scripts: [String] = []
        while scripts.count < 200 {
            let (template, refusals) = Template.shell(text(&generator), mark: Mark(line: 1, column: 1))
            guard refusals.isEmpty, !template.placeholders.isEmpty else { continue }
            var values = ParameterValues()
            for name in template.parameterNames {
                values.add(name, Self.values[generator.next(below: Self.values.count)])
            }
            scripts.append(template.shellText(with: values) { _, _ in nil })
        }
        for script in scripts {
            let outcome = Shell(command: shell).run(script)
            #expect(!outcome.files.contains("x"), "\(script.debugDescription)")
        }
    }
}
