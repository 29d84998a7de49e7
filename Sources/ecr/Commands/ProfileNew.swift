import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import Profiles
import RunStore

struct ProfileNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a new profile to start from.",
        discussion: """
            With --from, the target is asked what it is, and every sampler that ecr knows (sensors, power, GPU, load, …) \
            is tried there: the profile gets those that gave output. Nothing stays on the target, and nothing is written \
            when it cannot be reached.

            Example:
              ecr profile new board.yaml
              ecr profile new profiles/board.yaml --from root@192.168.1.100
            """)

    @Argument(help: "The file to write; its name without .yaml becomes the profile's.") var file: String
    @Option(help: ArgumentHelp("Ask this target what works there.", valueName: "user@host[:port]")) var from: String?
    @Flag(help: "Replace the file if it exists.") var force = false
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = Self.path(file)
        let name = Self.name(path)
        guard RunsDirectory.isName(name) else {
            throw ECRFailure(
                .usage,
                "a profile cannot be named '\(name)'; use letters, digits, '_', '.' or '-', the first a letter "
                    + "or digit, and at most 64")
        }
        try refuseOverwriting(path)
        let draft = try await draft(name)
        let bytes = Array(draft.text.utf8)
        try ECRFailure.catching { _ = try Profile.parse(bytes, file: path) }
        // The probing has taken its time.
        try refuseOverwriting(path)
        do {
            try FileSystem.makeDirectories(FileSystem.parent(of: path), mode: 0o755)
            try FileSystem.replace(path, with: bytes, mode: 0o644)
        } catch { throw ECRFailure(.storage, error.description) }
        show(draft, path)
    }

    private func draft(_ name: String) async throws -> ProfileDraft {
        guard let from else { return ProfileDraft(name: name, host: "192.168.1.100", port: nil, user: "root") }
        let reference = try TargetReference(from, directory: nil)
        guard reference.profile == nil else {
            throw ECRFailure(.usage, "'\(from)' is a profile; --from asks a target: user@host[:port]")
        }
        defer { Terminal.clearStatus() }
        return try await ProfileProbe.draft(
            named: name, from: reference, answer: common.questioner, progress: common.steps)
    }

    private func refuseOverwriting(_ path: String) throws(ECRFailure) {
        guard FileSystem.exists(path), !force || FileSystem.isDirectory(path) else { return }
        throw ECRFailure(.usage, "\(path) exists already", hint: "another name, or --force to replace it")
    }

    private func show(_ draft: ProfileDraft, _ path: String) {
        let names = draft.samplers.map(\.name)
        if output.json {
            Terminal.result(["path": .string(FileSystem.absolute(path)), "collectors": JSON(strings: names)])
            return
        }
        Terminal.result(SafeText.line(path))
        if from != nil {
            let count = Amount.count(Int64(names.count), "collector")
            Terminal.say(names.isEmpty ? "no sampler gave output there" : "\(count): \(names.joined(separator: ", "))")
        }
        let edit = from == nil ? "put your target into it, then " : ""
        Terminal.say("next: \(edit)ecr profile validate \(path), ecr run start \(path)")
    }

    /// With the ending by which a profile is found.
    private static func path(_ file: String) -> String {
        let path = FileSystem.expandingTilde(file)
        return path.hasSuffix(".yaml") || path.hasSuffix(".yml") ? path : path + ".yaml"
    }

    private static func name(_ path: String) -> String {
        let file = FileSystem.name(of: path)
        return String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])
    }
}
