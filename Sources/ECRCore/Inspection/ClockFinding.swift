import JSON
import RemoteJobs
import SSH

/// How far the target's clock is from this machine's.
enum ClockFinding {
    /// Seconds. What is recorded is computed from uptimes; the target's own logs and file times are what suffers.
    private static let tolerance = 1.0

    static func finding(_ reading: ClockReading, _ options: SSHOptions) -> Finding {
        let details: JSONObject = [
            "offset_s": reading.offset.map { .double($0) } ?? .null, "uncertainty_s": .double(reading.uncertainty),
            "rtt_s": .double(reading.roundTrip),
        ]
        let trip = "round trip \(thousandths(reading.roundTrip * 1000)) ms"
        guard let offset = reading.offset else {
            return Finding("clock", .warning, "the target's date gives no time; \(trip)", details: details)
        }
        let direction = offset < 0 ? "behind" : "ahead of"
        let message =
            "\(thousandths(abs(offset))) s \(direction) this machine's, ±\(thousandths(reading.uncertainty)) s; \(trip)"
        if abs(offset) <= tolerance { return Finding("clock", .ok, message, details: details) }
        return Finding(
            "clock", .warning, message,
            hint: "set it: ssh -p \(options.port) \(options.user)@\(options.host) \"date -u -s @$(date +%s)\", as root",
            details: details)
    }

    private static func thousandths(_ value: Double) -> String {
        guard value < 1e9 else { return "\(value)" }
        let scaled = Int((value * 1000).rounded())
        let fraction = String(scaled % 1000)
        return "\(scaled / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}

/// Whether a job went on while nobody was connected.
enum DisconnectionFinding {
    static let noPlace = Finding(
        "disconnect", .failed, "no directory for a job could be made in $TMPDIR, /tmp, /var/tmp, $HOME or /dev/shm",
        hint: "make one of them writable")

    static func finding(_ standing: JobStanding, hasSystemd: Bool) -> Finding {
        let details: JSONObject = ["survives": .bool(standing == .running)]
        switch standing {
        case .running: return Finding("disconnect", .ok, "a job lives on when the connection ends", details: details)
        case .rebooted:
            return Finding("disconnect", .failed, "the target was rebooted during the check", details: details)
        case .spoolLost, .unclaimed, .claimedOnly, .wrapperLost, .vanished, .ended:
            return Finding(
                "disconnect", .failed, "a job is killed when the connection ends",
                hint: hasSystemd
                    ? "set KillUserProcesses=no in the target's /etc/systemd/logind.conf, then: systemctl restart "
                        + "systemd-logind, as root" : "find out what ends a user's processes at logout there",
                details: details)
        }
    }
}
