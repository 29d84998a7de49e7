import LinuxSystem
package import SSH

/// How a job becomes root.
package struct RootAccess: Sendable {
    /// Nil where sudo asks for none.
    package let password: String?

    package init(password: String?) { self.password = password }
}

/// What sudo says to a login user.
package enum SudoAnswer: Sendable, Equatable {
    case granted
    case passwordNeeded
    case wrongPassword
    /// It will not, whatever the password: why, and what would help.
    case refused(String, hint: String?)

    /// Reads sudo's words, which are in English.
    init(status: Int32, words: String) {
        let lines = words.split(separator: "\n").map(String.init)
        func said(_ phrases: String...) -> Bool { lines.contains { line in phrases.contains { line.contains($0) } } }
        if status == 0 {
            self = .granted
        } else if said("must have a tty", "no tty present") {
            self = .refused(
                "sudo wants a terminal (requiretty in its configuration)",
                hint: "put `Defaults:USER !requiretty` into the target's sudoers (visudo)")
        } else if said("not in the sudoers", "not allowed to", "may not run sudo") {
            self = .refused(
                "sudo does not allow this user to run a shell as root",
                hint:
                    "allow it in the target's sudoers (visudo), or write `sudo` before the one command that is allowed")
        } else if said("incorrect password", "Sorry, try again", "no password was provided", "Authentication failed") {
            self = .wrongPassword
        } else if said("a password is required", "interactive authentication is required") {
            self = .passwordNeeded
        } else {
            let reason = lines.last { $0.hasPrefix("sudo:") } ?? lines.last ?? "it ended with status \(status)"
            self = .refused("sudo refused: \(reason)", hint: nil)
        }
    }
}

extension Target {
    /// The login user is root already.
    package nonisolated var isRoot: Bool { facts.uid == "0" }

    /// Whether root may be reached without a password. A ticket that counts only for the shell that got it does not count
    /// for a job, whose parent is another one: so the question comes from a shell of its own, too.
    package func askSudo() async throws(SSHError) -> SudoAnswer {
        for tool in ["sudo", "mkfifo"] where !facts.tools.contains(tool) {
            return .refused(
                "the target has no \(tool)", hint: tool == "sudo" ? "log in as root, and leave `sudo:` out" : nil)
        }
        let reply = try await dispatcher.run("( LC_ALL=C sudo -n -p '' -- sh -c : 2>&1; exit $? )")
        return SudoAnswer(status: reply.status, words: reply.text)
    }

    /// Tries a password without running anything as root but an empty command.
    ///
    /// In the background: a wrong password costs seconds, in which the dispatcher must be there for others.
    /// - Parameter spool: the run's spool directory, for sudo's words; the password is in no file.
    package func trySudo(password: String, spool: String) async throws(SSHError) -> SudoAnswer {
        let path = shellWord("\(spool)/sudo")
        let reply = try await dispatcher.run(
            """
            if [ -d \(shellWord(spool)) ]; then
            rm -f \(path); ecr_pw=\(shellWord(password)); ecr_try \(path); ecr_pw=
            else echo nospool; fi
            """)
        if reply.text.hasPrefix("nospool") { return .refused("the spool on the target is gone", hint: nil) }
        for _ in 0..<Self.sudoPatience / Self.sudoPause {
            let words = try await dispatcher.run("while read -r l; do echo \"$l\"; done <\(path)").text
            if let end = words.split(separator: "\n").last, end.hasPrefix("tried "),
                let status = Int32(end.dropFirst("tried ".utf8.count))
            {
                return SudoAnswer(status: status, words: String(words.dropLast(end.utf8.count + 1)))
            }
            try? await Task.sleep(for: .milliseconds(Self.sudoPause))
        }
        return .refused("sudo has not answered for \(Self.sudoPatience / 1000) s", hint: nil)
    }

    /// Milliseconds. Origin: PAM waits two seconds after a wrong password; a directory server that is asked over a
    /// network takes longer.
    private static let sudoPatience = 60_000
    /// Milliseconds. Origin: a right password takes about as long on a laptop.
    private static let sudoPause = 50
}
