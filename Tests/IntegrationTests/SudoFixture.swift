import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Runs on a target whose login user is an ordinary one.
extension RunFixture {
    /// - Parameter profile: everything below `connection:`.
    static func with(
        _ user: SudoUser, profile: String, connection: [String: String] = [:],
        _ body: (RunFixture) async throws -> Void
    ) async throws {
        let keys = "\(user.home)/authorized_keys"
        try await RunFixture.with(.init(extraLines: ["AuthorizedKeysFile \(keys)"])) { fixture in
            try FileSystem.replace(keys, with: try FileSystem.read("\(fixture.server.clientKey).pub"))
            try user.own(keys)
            let place = ["user": user.name, "spool_dir": "\(user.home)/spool"]
            try fixture.write(profile, connection: place.merging(connection) { $1 })
            try await body(fixture)
        }
    }

    /// A command at a pseudo-terminal of its own; what is written to it is typed there.
    func terminal(_ arguments: String...) throws -> RunningCommand {
        let words = ([try BuiltProducts.ecr()] + arguments).map { "'\($0)'" }.joined(separator: " ")
        return try RunningCommand(
            "/usr/bin/script", ["-qefc", words, "/dev/null"], environment: Self.settings, hasInput: true,
            workingDirectory: scratch.path)
    }

    /// Types each answer at the next question, and waits for the end.
    func answer(_ answers: [String], to command: RunningCommand) async throws -> CommandResult {
        for (index, answer) in answers.enumerated() {
            try await wait(for: "question \(index + 1)") {
                command.outputText.split(separator: "password of ").count > index + 1 || !command.isRunning
            }
            command.write(Array("\(answer)\n".utf8))
        }
        return try await command.wait()
    }

    /// Looks for a secret, and its base64, in everything that the run has written on either end.
    func expectNowhere(
        _ secret: String, in run: RunDirectory, _ places: String..., at location: SourceLocation = #_sourceLocation
    ) async throws {
        let inJSON = String(JSON.string(secret).text.dropFirst().dropLast())
        for form in [secret, inJSON, try await base64(secret)] {
            let found = try await Command.run("/usr/bin/grep", ["-rlaF", "-e", form, run.path] + places)
            #expect(found.outputText == "", "\(form)", sourceLocation: location)
        }
    }

    func base64(_ text: String) async throws -> String {
        let result = try await Command.runSuccessfully("/usr/bin/base64", ["-w0"], input: Array(text.utf8))
        return String(result.outputText.prefix { $0 != "=" }.dropLast())
    }
}
