import LinuxSystem
import TestSupport
import Testing

/// Every help text as a file: ECR_UPDATE_SNAPSHOTS=1 writes them anew, and the difference is looked at before it is
/// committed.
@Suite struct HelpTests {
    private static let commands = [
        "",
        "help",
        "profile",
        "profile validate",
        "run",
        "run create",
        "run start",
        "run action",
        "run exec",
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
        "run list",
        "run show",
        "run events",
        "run export",
        "run use",
        "run delete",
        "run prune",
        "run stage",
        "run cancel",
        "run pause",
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

    @Test(arguments: ["note", "action", "status"]) func shortForms(_ name: String) async throws {
        let result = try await Ecr()(name, "--help")
        #expect(result.status == 0)
        #expect(result.outputText.contains("USAGE: ecr \(name)"))
    }

    @Test func helpTopicsAreCommands() async throws {
        let ecr = try Ecr()
        #expect(try await ecr("help", "run", "note").output == ecr("run", "note", "--help").output)
        let unknown = try await ecr("help", "fly")
        #expect(unknown.status == 64)
        #expect(unknown.errorText == "error: there is no command 'fly'\n  try: ecr help\n")
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
