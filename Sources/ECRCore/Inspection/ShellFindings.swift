import JSON
import RemoteJobs
import SSH

/// The shells on a target: the user's own, which the server starts, and the `sh` that ecr talks to.
enum ShellFindings {
    static func login(_ shell: LoginShell, user: String) -> Finding {
        let noise = excerpt(shell.noise)
        guard shell.isUsable else {
            let said = noise.isEmpty ? "" : "; it said: \(noise)"
            return Finding(
                "login shell", .failed,
                "the login shell of \(user) does not carry out commands\(ending(shell.exit))\(said)",
                hint: "give \(user) a shell: chsh -s /bin/sh \(user), as root on the target")
        }
        guard noise.isEmpty else {
            return Finding(
                "login shell", .warning, "its start-up files print: \(noise)",
                hint: "print only where there is a terminal: [ -t 1 ] && echo …; it breaks SFTP on some servers",
                details: ["prints": .string(shell.noise)])
        }
        return Finding("login shell", .ok, "carries out commands and prints nothing of its own")
    }

    /// The session stands, and the shell behind it doesn't.
    static func failed(_ error: SSHError) -> Finding {
        if error.code == .protocolViolation {
            return Finding(
                "/proc", .failed, "no boot id can be read: without it a reboot cannot be told from a lost link",
                hint: "mount /proc on the target")
        }
        return Finding("shell", .failed, error.message, hint: "ecr needs a POSIX sh on the target's PATH")
    }

    static func shell(_ survey: TargetSurvey) -> Finding {
        let program = survey.shell.isEmpty ? "works" : "is \(survey.shell)"
        let login = survey.loginShell.isEmpty ? "" : ", login shell \(survey.loginShell)"
        return Finding(
            "shell", .ok, "sh \(program)\(login)",
            details: ["sh": .string(survey.shell), "login_shell": .string(survey.loginShell)])
    }

    static func proc(_ facts: TargetFacts) -> Finding {
        Finding(
            "/proc", .ok, "boot \(facts.boot), up for \(Int(facts.uptime)) s",
            details: ["boot_id": .string(facts.boot), "uptime_s": .double(facts.uptime)])
    }

    static func sudo(_ survey: TargetSurvey) -> Finding {
        let message =
            switch survey.sudo {
            case .root: "not needed: the user is root"
            case .free: "works without a password"
            case .password: "asks for a password, or is not allowed"
            case .missing: "not there"
            }
        return Finding("sudo", .ok, message, details: ["sudo": .string(survey.sudo.rawValue)])
    }

    private static func ending(_ exit: ChannelExit?) -> String {
        switch exit {
        case .status(let status): " (exit \(status))"
        case .signal(let name): " (SIG\(name))"
        case nil: ""
        }
    }

    /// The first line, shortened to what fits beside the check's name.
    private static func excerpt(_ text: String) -> String {
        let line = String(text.split(whereSeparator: \.isNewline).first ?? "")
        let isWhole = line.count <= 60 && line.utf8.count == text.utf8.count
        return line.isEmpty ? "" : "\"\(line.prefix(60))\(isWhole ? "" : "…")\""
    }
}
