import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// The built `ecr` in a working directory of its own, without settings of the person who runs the tests.
struct Ecr {
    let scratch: ScratchDirectory

    static let goodProfile = """
        name: board
        connection: {host: board.example, port: 22, user: me}
        parameters:
          size: {type: int, default: 4, min: 1, max: 64}
        actions:
          hash: {commands: ["sha256sum /dev/zero {size}"]}
        background_collectors:
          load: {command: "cat /proc/loadavg", interval: 1}
        """

    init() throws {
        scratch = try ScratchDirectory()
        try scratch.write("board.yaml", Self.goodProfile)
    }

    func callAsFunction(
        _ arguments: String..., environment: [String: String?] = [:], input: String = ""
    ) async throws -> CommandResult {
        try await run(arguments, environment: environment, input: Array(input.utf8))
    }

    /// Changes of the environment that keep out what the person who runs the tests has set.
    var settings: [String: String?] {
        [
            "ECR_RUN": nil, "ECR_RUNS_DIR": nil, "ECR_PROFILES_DIR": nil, "ECR_AUTHOR": nil, "ECR_LICENCE": nil,
            "XDG_CONFIG_HOME": scratch.path("config"), "ECR_SSH_CONFIG": "none", "CI": nil, "NO_COLOR": nil,
            "TERM": "xterm",
            "COLUMNS": "80",
            "TZ": "UTC",
        ]
    }

    func run(
        _ arguments: [String], environment: [String: String?] = [:], input: [UInt8] = []
    ) async throws -> CommandResult {
        try await Command.run(
            try BuiltProducts.ecr(), arguments, environment: settings.merging(environment) { $1 }, input: input,
            workingDirectory: scratch.path)
    }

    /// Makes a run of the good profile.
    func create(_ options: String...) async throws -> RunDirectory {
        let result = try await run(["run", "create", "board.yaml"] + options)
        try #require(result.status == 0, "\(result.errorText)")
        return RunDirectory(path: scratch.path("runs/\(result.outputText.dropLast())"))
    }

    /// Appends as a supervisor would have done.
    func append(to run: RunDirectory, _ events: [(EventType, JSONObject)]) throws {
        let writer = try EventWriter(path: run.events)
        defer { writer.close() }
        for (type, data) in events { try writer.appendBlocking(type, data) }
    }

    /// The data of all events of a type.
    func events(_ run: RunDirectory, _ type: EventType) throws -> [JSONObject] {
        var reader = try EventReader(path: run.events)
        var found: [JSONObject] = []
        while let event = try reader.next() { if event.type == type { found.append(event.data) } }
        return found
    }

    /// The types of all events of a run.
    func types(_ run: RunDirectory) throws -> [String] {
        var reader = try EventReader(path: run.events)
        var types: [String] = []
        while let event = try reader.next() { types.append(event.type.rawValue) }
        return types
    }

    /// A text with the scratch directory replaced by `DIR`.
    func neutral(_ text: String) -> String {
        text.split(separator: scratch.path, omittingEmptySubsequences: false).joined(separator: "DIR")
    }
}

extension CommandResult {
    func json() throws -> JSON { try JSON(parsing: output) }
}
