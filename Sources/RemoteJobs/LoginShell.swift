import LinuxSystem
package import SSH

/// What the user's login shell makes of a command: it stands between the server and everything that ecr starts.
package struct LoginShell: Sendable, Equatable {
    /// The command was carried out.
    package let isUsable: Bool
    /// What start-up files printed before the command's own output, and on stderr.
    package let noise: String
    package let exit: ChannelExit?

    /// Runs one word on a channel of its own.
    @SSHActor package static func probe(on session: SSHSession) async throws(SSHError) -> LoginShell {
        let token = "ecr-" + Host.randomHex(8)
        let channel = try await session.openExec("echo \(token)")
        channel.sendEOF()
        var output: [UInt8] = []
        var errors: [UInt8] = []
        while let piece = try await channel.read() {
            switch piece {
            case .stdout(let bytes): output += bytes
            case .stderr(let bytes): errors += bytes
            }
            if output.count + errors.count > limit { break }
        }
        channel.close()
        return LoginShell(output: output, errors: errors, token: token, exit: channel.exit)
    }

    /// Origin: a greeting has some lines; whoever prints more than this never comes to an end.
    private static let limit = 1 << 20

    init(output: [UInt8], errors: [UInt8], token: String, exit: ChannelExit?) {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        isUsable = lines.contains { $0 == token }
        let said = lines.filter { $0 != token }.joined(separator: "\n") + String(decoding: errors, as: UTF8.self)
        noise = String(said.drop(while: \.isNewline).reversed().drop(while: \.isNewline).reversed())
        self.exit = exit
    }
}
