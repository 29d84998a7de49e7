/// What was probed once per connection.
package struct TargetFacts: Sendable, Equatable {
    /// The kernel's boot id: another one means that the target was rebooted.
    package var boot = ""
    /// Seconds of the target's boottime clock at the probe.
    package var uptime = 0.0
    package var uid = ""
    package var user = ""
    package var kernel = ""
    package var hostname = ""
    package var os: String?
    package var model: String?
    /// Of setsid, timeout, stdbuf, tar, dd, sha256sum, base64, sudo, mkfifo, head and tail with `-c`, fractional-sleep: those that are there.
    package var tools: Set<String> = []

    init(reply: String) {
        for line in reply.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = String(line[line.index(after: equals)...])
            switch line[..<equals] {
            case "boot": boot = value
            case "uptime": uptime = Double(value) ?? 0
            case "uid": uid = value
            case "user": user = value
            case "kernel": kernel = value
            case "hostname": hostname = value
            case "os": os = value
            case "model": model = value
            case "tool": tools.insert(value)
            default: break
            }
        }
    }
}
