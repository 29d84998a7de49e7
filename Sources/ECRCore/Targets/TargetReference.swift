package import JSON
package import Profiles
import RunStore
import SSH

/// Answers a question at a terminal, on the thread that makes a connection; nil where the person refuses.
package typealias QuestionAnswer = @Sendable (Question) -> String?

/// A target as a person names it for a command that needs no run: a profile, or `user@host[:port]`.
package struct TargetReference: Sendable {
    /// As it was typed, for messages and for commands to type next.
    package let text: String
    package let connection: Connection
    /// Nil for an address.
    package let profile: ProfileFile?
    private let base: SSHOptions

    /// - Parameters:
    ///   - directory: `--profiles-dir`, the first place to look for a profile's name.
    ///   - takesHost: a bare `host[:port]` will do where there is no profile of that name; nobody logs in then.
    /// - Throws: `.notFound` for what is neither; `.usage` for an address that can't be one; what is wrong in a profile or
    ///   in ssh_config.
    package init(_ text: String, directory: String?, takesHost: Bool = false) throws(ECRFailure) {
        let profile = try Self.profile(text, directory, isAddress: takesHost || text.contains("@"))
        let connection: Connection
        if let profile { connection = profile.profile.connection } else { connection = try Self.address(text) }
        try self.init(text, profile, connection)
    }

    /// The target of a profile.
    /// - Throws: what is wrong in ssh_config.
    package init(_ profile: ProfileFile) throws(ECRFailure) {
        try self.init(profile.path, profile, profile.profile.connection)
    }

    private init(_ text: String, _ profile: ProfileFile?, _ connection: Connection) throws(ECRFailure) {
        self.text = text
        self.profile = profile
        self.connection = connection
        do throws(SSHError) {
            base = try SSHOptions(connection, profileFile: profile?.path ?? "")
        } catch { throw ECRFailure(error) }
    }

    /// How to reach the target.
    /// - Parameter answer: asks a person what only a person can answer; called on the thread that makes the connection.
    func options(answer: QuestionAnswer?) -> SSHOptions {
        var options = base
        options.reference = text
        if let answer { options.ask = { answer(Question($0)) } }
        return options
    }

    /// host, port and user, for programs.
    package var json: JSON {
        ["host": .string(base.host), "port": JSON(base.port), "user": .string(base.user)]
    }

    /// `user@host`, with a port other than 22 behind it.
    package var address: String {
        "\(base.user)@\(base.address)"
    }

    /// A profile goes before an address: a file may be called `me@board.yaml`.
    private static func profile(
        _ text: String, _ directory: String?, isAddress: Bool
    ) throws(ECRFailure) -> ProfileFile? {
        do throws(ECRFailure) { return try ProfileFile(text, directory: directory) } catch {
            guard error.exitCode == ExitCode.notFound.rawValue else { throw error }
            if isAddress && !text.contains("/") { return nil }
            throw ECRFailure(.notFound, error.message, hint: "for a target without a profile write user@host[:port]")
        }
    }

    private static func address(_ text: String) throws(ECRFailure) -> Connection {
        let at = text.lastIndex(of: "@")
        let user = at.map { String(text[..<$0]) }
        let place = MovedHost(String(at.map { text[text.index(after: $0)...] } ?? text[...]))
        guard let place, isWord(place.host), user.map(isWord) ?? true else {
            throw ECRFailure(.usage, "'\(text)' is no address", hint: "write user@host or user@host:port")
        }
        return .plain(host: place.host, port: place.port, user: user)
    }

    /// What could be one argument of `ssh` and none of its options.
    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"/[]".utf8.contains($0) }
    }
}
