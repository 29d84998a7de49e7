import JSON
import LinuxSystem
import TestSupport
import Testing

/// `ecr man`, as the package ships it.
@Suite struct ManPageTests {
    private let scratch: ScratchDirectory
    private let page: String

    init() async throws {
        let result = try await Ecr()("man")
        #expect(result.status == 0 && result.errorText == "")
        scratch = try ScratchDirectory()
        page = try scratch.write("ecr.1", bytes: result.output)
    }

    @Test func groffHasNothingToSay() async throws {
        let groff = try #require(Command.find("groff"))
        let result = try await Command.run(groff, ["-man", "-Tutf8", "-ww", page])
        #expect(result.status == 0 && result.errorText == "")
    }

    @Test func mandocHasNothingToSay() async throws {
        let mandoc = try #require(Command.find("mandoc"))
        let result = try await Command.run(mandoc, ["-Tlint", page])
        #expect(result.status == 0 && result.outputText == "" && result.errorText == "")
    }

    @Test func everythingIsThere() async throws {
        let mandoc = try #require(Command.find("mandoc"))
        // Bold and italics are overstruck in this form; col(1) takes that back.
        let result = try await Command.run("/bin/sh", ["-c", "\(mandoc) -Tutf8 '\(page)' | col -bx"])
        let text = result.outputText
        for section in [
            "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES",
            "SEE ALSO",
        ] {
            #expect(text.contains("\n\(section)\n"))
        }
        for command in try await Self.commands() { #expect(text.contains("   ecr \(command)"), "\(command)") }
        #expect(text.contains("Short for `ecr run note`."))
        #expect(text.contains("ECR_RUNS_DIR") && text.contains("130") && text.contains("ecr help profile"))
        #expect(!text.contains("complete-words") && !text.contains("ecr supervise"))
        // An example is one line, as it would be typed.
        #expect(text.contains("  ecr run start device.yaml --name cold-start -p size=64\n"))
    }

    /// The names of all commands that do something, by the parser's own account.
    private static func commands() async throws -> [String] {
        let dump = try await Ecr()("--experimental-dump-help").json()
        func leaves(_ command: JSON, _ name: String) -> [String] {
            let children = (command["subcommands"]?.array ?? []).filter { $0["shouldDisplay"]?.bool == true }
            if children.isEmpty { return [name] }
            return children.flatMap { child in
                leaves(child, (name.isEmpty ? "" : name + " ") + (child["commandName"]?.string ?? ""))
            }
        }
        let names = leaves(try #require(dump["command"]), "")
        #expect(names.count > 20)
        return names
    }
}
