import JSON
import RemoteJobs

/// What the target's programs and its server's channels allow, and what suffers where they are missing.
enum ToolFindings {
    private static let degradations: [(tool: String, loss: String, remedy: String)] = [
        (
            "setsid", "a timeout or cancel reaches only a job's shell, not the programs that it has started",
            "util-linux, or BusyBox with setsid"
        ),
        ("timeout", "the `timeout:` of collectors is not kept", "coreutils, or BusyBox with timeout"),
        ("stdbuf", "programs that buffer their output cannot be made to write line by line", "coreutils"),
        ("sha256sum", "the ledger compares lengths only", "coreutils, or BusyBox with sha256sum"),
        (
            "fractional-sleep", "sleep knows no fractions: collectors cannot sample more often than once a second",
            "coreutils, or BusyBox with FEATURE_FANCY_SLEEP"
        ),
    ]

    /// Used only where something else is missing.
    private static let spare = ["tar", "base64"]

    /// One finding for what is there, one for each that is missed.
    static func tools(_ tools: Set<String>, hasSFTP: Bool) -> [Finding] {
        // A group of its own keeps the time of a sample as well.
        let unneededFor = tools.contains("setsid") ? "timeout" : nil
        let missing = degradations.filter { !tools.contains($0.tool) && $0.tool != unneededFor }
        let unneeded = (spare + (hasSFTP || tools.contains("tail") ? ["dd"] : [])).filter { !tools.contains($0) }
        var message = tools.isEmpty ? "none of those that ecr makes use of" : tools.sorted().joined(separator: ", ")
        if !unneeded.isEmpty { message += "; not there and not needed: \(unneeded.joined(separator: ", "))" }
        let found = Finding("tools", .ok, message, details: ["found": JSON(strings: tools.sorted())])
        return [found]
            + missing.map { Finding($0.tool, .warning, "missing: \($0.loss)", hint: "install \($0.remedy)") }
    }

    /// - Parameter isHanging: it is served, but gives no answer.
    static func sftp(hasSFTP: Bool, isHanging: Bool = false, channels: Int, tools: Set<String>) -> Finding {
        if hasSFTP { return Finding("sftp", .ok, "served", details: ["fallback": .null]) }
        let reader = OffsetReader(tools: tools)
        let how =
            switch reader {
            case .dd, .tail: "which is slow"
            case .cat: "each time from its beginning, which is very slow"
            }
        let reason =
            isHanging
            ? "the SFTP server hangs" : channels < 2 ? "the server allows no channel for it" : "not served"
        let files = [tools.contains("tar") ? "tar" : nil, reader.hasOffsets ? reader.rawValue : "scp or cat"]
        return Finding(
            "sftp", .warning,
            "\(reason): output is fetched by \(reader.rawValue), \(how), and files by "
                + files.compactMap(\.self).joined(separator: " or "),
            hint: isHanging
                ? "see what it waits for there: the disk of its program, or a share that is gone"
                : channels < 2
                    ? "raise MaxSessions in the target's sshd_config"
                    : "install an SFTP server (openssh-sftp-server) there",
            details: ["fallback": .string(reader.rawValue)])
    }

    static func channels(_ count: Int) -> Finding {
        let details: JSONObject = ["channels": JSON(count)]
        if count >= 3 { return Finding("channels", .ok, "at least 3 on one connection", details: details) }
        return Finding(
            "channels", .warning, "the server allows \(count) on one connection, ecr makes use of 3",
            hint: "raise MaxSessions in the target's sshd_config (its default is 10)", details: details)
    }
}
