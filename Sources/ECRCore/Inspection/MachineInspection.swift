import Glibc
import Hashing
import JSON
import LinuxSystem
import Patterns
package import RunStore
import SSH
import YAML

/// Looks at this machine as runs would use it. Nothing stays behind.
package struct MachineInspection {
    private let runs: RunsDirectory
    private let archiveLibrary: String

    /// - Parameter archiveLibrary: the version of libzip, which is another room's.
    package init(_ runs: RunsDirectory, archiveLibrary: String) {
        self.runs = runs
        self.archiveLibrary = archiveLibrary
    }

    /// Makes every check.
    /// - Parameter report: told as soon as each is done.
    package func run(_ report: (Finding) -> Void) {
        report(
            Finding(
                "ecr", .ok, "\(ECRVersion.current), \(Host.executablePath)",
                details: ["version": .string(ECRVersion.current), "path": .string(Host.executablePath)]))
        LibraryFindings.all([
            ("libssh", SSHLibrary.version), ("libyaml", YAMLLibrary.version), ("libzip", archiveLibrary),
            ("OpenSSL", CryptoLibrary.version), ("PCRE2", PatternLibrary.version),
        ]).forEach(report)
        report(SettingsFinding.finding)
        RunsDirectoryFindings(runs).all.forEach(report)
        report(AgentProbe.finding(socket: Host.environment("SSH_AUTH_SOCK")))
        KeyFindings(directory: FileSystem.expandingTilde("~/.ssh")).all.forEach(report)
        report(clock)
        LeftBehind(runs).all.forEach(report)
    }

    private var clock: Finding {
        let details: JSONObject = ["synchronised": Clock.isSynchronised.map { .bool($0) } ?? .null]
        switch Clock.isSynchronised {
        case true?: return Finding("clock", .ok, "synchronised", details: details)
        case false?:
            return Finding(
                "clock", .warning, "not synchronised: times in records may be wrong",
                hint: "timedatectl set-ntp true, or install chrony", details: details)
        case nil: return Finding("clock", .ok, "the kernel does not say whether it is synchronised", details: details)
        }
    }
}
