package import Profiles
package import SSH

/// A target as a person names it for a command that needs no run: a profile, or `user@host[:port]`.
package struct TargetReference: Sendable {
    /// As it was typed, for messages and for commands to type next.
    package let text: String
    package let connection: Connection
    /// Nil for an address.
    package let profile: ProfileFile?

    /// - Parameters:
    ///   - directory: `--profiles-dir`, the first place to look for a profile's name.
    ///   - takesHost: a bare `host[:port]` will do where there is no profile of that name; nobody logs in then.
    /// - Throws: `.notFound` for what is neither; `.usage` for an address that can't be one; what is wrong in a profile.
    package init(_ text: String, directory: String?, takesHost: Bool = false) throws(ECRFailure) {
        self.text = text
        if let profile = try Self.profile(text, directory, isAddress: takesHost || text.contains("@")) {
            self.profile = profile
            connection = profile.profile.connection
        } else {
            profile = nil
            connection = try Self.address(text)
        }
    }

    /// How to reach the target.
    /// - Parameter ask: asks a person what only a person can answer.
    package func options(ask: SSHAsk?) -> SSHOptions {
        var options = SSHOptions(connection, profileFile: profile?.path ?? "")
        options.ask = ask
        return options
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
        let (host, port) = hostAndPort(at.map { text[text.index(after: $0)...] } ?? text[...])
        guard isWord(host), user.map(isWord) ?? true else {
            throw ECRFailure(.usage, "'\(text)' is no address", hint: "write user@host or user@host:port")
        }
        guard let port else { return .plain(host: host, port: nil, user: user) }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw ECRFailure(.usage, "'\(port)' is no port; a port is a number from 1 to 65535")
        }
        return .plain(host: host, port: number, user: user)
    }

    /// `host`, `host:port`, `[v6]`, `[v6]:port`; more than one colon without brackets is an IPv6 address.
    private static func hostAndPort(_ text: Substring) -> (String, String?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            let host = String(text[text.index(after: text.startIndex)..<end])
            return rest.isEmpty ? (host, nil) : rest.hasPrefix(":") ? (host, String(rest.dropFirst())) : ("", nil)
        }
        guard let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon else { return (String(text), nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    /// What could be one argument of `ssh` and none of its options.
    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-") && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2F }
    }
}
