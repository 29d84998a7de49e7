import Glibc
import JSON
import LinuxSystem
import TestSupport
import Testing

/// A private server that is named by its address alone: `ecr` runs with a home of its own, in which the server's key is
/// known and the key that it lets in is the usual one.
struct BareTarget: Sendable {
    let server: any SSHTestServer
    let scratch: ScratchDirectory

    init(_ server: any SSHTestServer) throws {
        self.server = server
        scratch = try ScratchDirectory()
        try scratch.write("home/.ssh/id_ed25519", bytes: try FileSystem.read(server.clientKey))
        try scratch.write("home/.ssh/known_hosts", bytes: try FileSystem.read(server.knownHosts))
    }

    /// As a person writes it.
    var address: String { "\(server.user)@\(server.host):\(server.port)" }
    var hostAndPort: String { "\(server.host):\(server.port)" }
    var knownHosts: String { scratch.path("home/.ssh/known_hosts") }

    /// Without settings of the person who runs the tests.
    var environment: [String: String?] {
        [
            "HOME": scratch.path("home"), "ECR_RUN": nil, "ECR_RUNS_DIR": nil, "ECR_PROFILES_DIR": nil,
            "ECR_AUTHOR": nil, "ECR_LICENCE": nil, "ECR_SSH_CONFIG": nil, "SSH_AUTH_SOCK": nil, "XDG_CONFIG_HOME": nil,
            "NO_COLOR": "1", "TERM": "xterm",
        ]
    }

    /// Runs a command without a terminal that must exit with a status.
    @discardableResult
    func expect(
        _ status: Int32, _ arguments: String..., at location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        try await expect(status, arguments: arguments, at: location)
    }

    @discardableResult
    func expect(
        _ status: Int32, arguments: [String], at location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        // A session of its own: the tests may be run from a terminal, which must not be asked.
        let result = try await Command.run(
            "/usr/bin/setsid", ["-w", try BuiltProducts.ecr()] + arguments, environment: environment,
            workingDirectory: scratch.path)
        #expect(
            result.status == status,
            "ecr \(arguments.joined(separator: " "))\nstdout: \(result.outputText)\nstderr: \(result.errorText)",
            sourceLocation: location)
        return result
    }

    /// Runs a command on a terminal of its own (script(1)), types an answer when it asks, and waits for its end.
    func onTerminal(_ arguments: String..., asked question: String, answer: String) async throws -> CommandResult {
        let line = ([try BuiltProducts.ecr()] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let command = try RunningCommand(
            try #require(Command.find("script")), ["-qefc", line, "/dev/null"], environment: environment,
            hasInput: true, workingDirectory: scratch.path)
        try await command.waitForOutput(question)
        command.write(Array(answer.utf8))
        return try await command.wait()
    }
}

extension JSON {
    /// A check of `target check --json` or `doctor --json`.
    func check(_ name: String) -> JSON? { self["checks"]?.array?.first { $0["check"]?.string == name } }

    /// `name: state` of every check that is not ok.
    var complaints: [String] {
        (self["checks"]?.array ?? []).filter { $0["state"]?.string != "ok" }.map {
            "\($0["check"]?.string ?? ""): \($0["state"]?.string ?? "")"
        }
    }
}
