import Glibc
import LinuxSystem

/// A user of this machine with a password, for as long as a test runs. Making one needs root: see `isAvailable`.
package struct TestUser: Sendable {
    package let name: String
    package let password: String
    /// Its home, which it owns.
    package let home: String

    /// Whether this machine lets us: root, with useradd(8), chpasswd(8) and userdel(8).
    package static let isAvailable: Bool =
        getuid() == 0 && ["useradd", "chpasswd", "userdel"].allSatisfy { Command.find($0) != nil }

    /// Makes a user, runs a body, and removes the user whatever came of it.
    package static func with(_ body: (TestUser) async throws -> Void) async throws {
        let number = Host.randomBytes(6).map { String($0 % 10) }.joined()
        let user = TestUser(name: "ecr-t\(number)", password: "pass word \(number)", home: "/tmp/ecr-home-\(number)")
        try await run("useradd", ["-m", "-d", user.home, "-s", "/bin/sh", user.name])
        do {
            try await run("chpasswd", [], input: "\(user.name):\(user.password)\n")
            try await body(user)
        } catch {
            try await user.remove()
            throw error
        }
        try await user.remove()
    }

    private func remove() async throws { try await Self.run("userdel", ["-r", "-f", name]) }

    /// The tools lock the password file and give up at once when somebody else holds it.
    static func run(_ tool: String, _ arguments: [String], input: String = "") async throws {
        for _ in 0..<50 {
            let result = try await Command.run(Command.find(tool) ?? "", arguments, input: Array(input.utf8))
            if result.status == 0 || !result.errorText.contains("lock") && tool == "userdel" { return }
            guard result.errorText.contains("lock") else {
                throw CommandFailure(message: "failed", commandLine: [tool] + arguments, result: result)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Writes a file into the home, as the user's own.
    package func write(_ name: String, _ text: String) async throws {
        let path = "\(home)/\(name)"
        try FileSystem.makeDirectories(FileSystem.parent(of: path))
        try FileSystem.replace(path, with: Array(text.utf8))
        try await Command.runSuccessfully(Command.find("chown") ?? "", ["-R", "\(self.name):", home])
    }
}
