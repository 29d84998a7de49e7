import EventLog
import LinuxSystem
import Profiles
import RunStore
import TestSupport
import Testing

@testable import ecr

/// Every help text as a file: ECR_UPDATE_SNAPSHOTS=1 writes them anew, and the difference is looked at before it is
/// committed.
@Suite struct HelpTests {
    private static let commands = [
        "",
        "config",
        "help",
        "completion",
        "profile",
        "profile validate",
        "profile list",
        "profile show",
        "profile new",
        "target",
        "target check",
        "target trust",
        "target clean",
        "doctor",
        "run",
        "run create",
        "run start",
        "run action",
        "run exec",
        "run push",
        "run pull",
        "run collector",
        "run collector start",
        "run collector stop",
        "run collector list",
        "run follow",
        "run log",
        "run note",
        "run edit",
        "run mark",
        "run tag",
        "run tag add",
        "run tag remove",
        "run tag list",
        "run complete",
        "run abort",
        "run resume",
        "run status",
        "run watch",
        "run list",
        "run show",
        "run metrics",
        "run metrics show",
        "run metrics recompute",
        "run events",
        "run export",
        "run use",
        "run delete",
        "run prune",
        "run stage",
        "run cancel",
        "run pause",
        "run release",
        "run reconnect",
        "run param",
        "run param set",
        "run param list",
        "run drain",
        "verify",
    ]

    @Test(arguments: commands) func helpOf(_ command: String) async throws {
        let words = command.split(separator: " ").map(String.init)
        let result = try await Ecr().run(words + ["--help"])
        #expect(result.status == 0)
        #expect(result.errorText == "")
        #expect(result.outputText.contains("Example:\n"))
        try compare(result.outputText, "help \(command)")
    }

    @Test func exitCodes() async throws {
        let result = try await Ecr()("help", "exit-codes")
        #expect(result.status == 0)
        try compare(result.outputText, "help exit-codes")
    }

    @Test(arguments: HelpTopic.allCases.map(\.rawValue)) func topics(_ name: String) async throws {
        let result = try await Ecr()("help", name)
        #expect(result.status == 0 && result.errorText == "")
        let lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count > 10)
        for line in lines { #expect(line.count <= 80 && !line.hasSuffix(" "), "\(line)") }
        #expect(try await Ecr()("help").outputText.contains("\n  \(name) "))
    }

    @Test func theTopicsSayWhatTheTablesSay() async throws {
        let ecr = try Ecr()
        let events = try await ecr("help", "events").outputText
        for row in EventType.specification { #expect(events.contains("\n  \(row.type.rawValue) ")) }
        let profile = try await ecr("help", "profile").outputText
        for key in ProfileSection.all.flatMap(\.keys) { #expect(profile.contains("\n  \(key.name) ")) }
        let directory = try await ecr("help", "run-directory").outputText
        for file in RunDirectory.reference { #expect(directory.contains("\n  \(file.path) ")) }
    }

    @Test func theExampleOfAProfileIsOne() async throws {
        let ecr = try Ecr()
        try ecr.scratch.write("example.yaml", HelpTopic.exampleProfile)
        let result = try await ecr("profile", "validate", "example.yaml")
        #expect(result.status == 0 && result.errorText == "")
    }

    /// Every variable that the code reads is in `ecr help environment`, and nothing else is.
    @Test func variables() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Sources"
        var read: Set<String> = []
        func search(_ folder: String) throws {
            for name in try FileSystem.list(folder) {
                let path = "\(folder)/\(name)"
                if FileSystem.isDirectory(path) { try search(path) }
                guard name.hasSuffix(".swift") else { continue }
                let source = String(decoding: try FileSystem.read(path), as: UTF8.self)
                for call in ["environment(\"", "environment: \"", "getenv(\""] {
                    for rest in source.split(separator: call, omittingEmptySubsequences: false).dropFirst() {
                        let name = rest.prefix { $0 != "\"" }
                        if name.allSatisfy({ $0.isUppercase || $0 == "_" }) { read.insert(String(name)) }
                    }
                }
            }
        }
        try search(root)
        #expect(read.sorted() == HelpTopic.variables.map(\.term).sorted())
    }

    @Test(arguments: ["note", "action", "status"]) func shortForms(_ name: String) async throws {
        let result = try await Ecr()(name, "--help")
        #expect(result.status == 0)
        #expect(result.outputText.contains("USAGE: ecr \(name)"))
    }

    @Test func helpTopicsAreCommands() async throws {
        let ecr = try Ecr()
        #expect(try await ecr("help", "run", "note").output == ecr("run", "note", "--help").output)
        let unknown = try await ecr("help", "fly")
        #expect(unknown.status == 64 && unknown.outputText == "")
        #expect(unknown.errorText == "error: there is no command 'fly'\n  try: ecr help\n")
        let near = try await ecr("help", "exit-code")
        #expect(near.status == 64)
        #expect(
            near.errorText
                == "error: there is no command or topic 'exit-code'; did you mean 'exit-codes'?\n"
                + "  try: ecr help exit-codes\n")
        let below = try await ecr("help", "run", "strat")
        #expect(
            below.errorText
                == "error: there is no command 'run strat'; did you mean 'run start'?\n  try: ecr run start\n")
        #expect(try await ecr("help", "run", "xyz").errorText.hasSuffix("  try: ecr help run\n"))
        // What is not for people has no help.
        #expect(try await ecr("help", "supervise").status == 64)
    }

    private func compare(_ text: String, _ name: String) throws {
        let file = name.split(separator: " ").joined(separator: "-") + ".txt"
        let path = FileSystem.parent(of: "\(#filePath)") + "/Snapshots/" + file
        if Host.environment("ECR_UPDATE_SNAPSHOTS") != nil {
            try FileSystem.makeDirectories(FileSystem.parent(of: path), mode: 0o755)
            try FileSystem.replace(path, with: Array(text.utf8), mode: 0o644)
        }
        #expect(text == String(decoding: try FileSystem.read(path), as: UTF8.self))
    }
}
