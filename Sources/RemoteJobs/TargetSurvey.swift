package import LinuxSystem
package import SSH

/// What `target check` looks at beside the facts that every run records.
package struct TargetSurvey: Sendable, Equatable {
    package enum Sudo: String, Sendable { case missing, root, free, password }

    /// The program that is behind `sh`.
    package var shell = ""
    /// `$SHELL`, the user's login shell.
    package var loginShell = ""
    /// systemd may end what a user leaves running (`KillUserProcesses=`, logind.conf(5)).
    package var hasSystemd = false
    package var sudo = Sudo.missing
    package var mounts = MountTable(mountinfo: "")

    init(reply: String) {
        var parts = reply.split(separator: "\nmounts\n", maxSplits: 1).map(String.init)
        mounts = MountTable(mountinfo: parts.count > 1 ? parts.removeLast() : "")
        for line in (parts.first ?? "").split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = String(line[line.index(after: equals)...])
            switch line[..<equals] {
            case "sh": shell = value
            case "login": loginShell = value
            case "systemd": hasSystemd = true
            case "sudo": sudo = Sudo(rawValue: value) ?? .missing
            default: break
            }
        }
    }

    /// Where a `sudo` that cannot look up its own host hangs, the target's `timeout` ends it.
    fileprivate static let script = #"""
        echo "sh=$(readlink "/proc/$$/exe")"; echo "login=$SHELL"
        if [ -d /run/systemd/system ]; then echo systemd=; fi
        if [ "$(id -u)" = 0 ]; then echo sudo=root; elif command -v sudo >/dev/null; then
        ecr_x=; if command -v timeout >/dev/null; then ecr_x='timeout 10'; fi
        if $ecr_x sudo -n true; then echo sudo=free; else echo sudo=password; fi; fi
        echo mounts; while IFS= read -r ecr_x; do printf '%s\n' "$ecr_x"; done </proc/self/mountinfo
        """#
}

extension Target {
    package func survey() async throws(SSHError) -> TargetSurvey {
        TargetSurvey(reply: try await dispatcher.run(TargetSurvey.script).text)
    }

    /// The kernel's name of a block device, for example `mmcblk0p2`; nil for what is none.
    /// - Parameter device: `major:minor`.
    package func blockName(of device: String) async throws(SSHError) -> String? {
        let link = try await dispatcher.run("readlink \(shellWord("/sys/dev/block/\(device)"))").text
        let name = FileSystem.name(of: String(link.prefix { $0 != "\n" }))
        return name.isEmpty ? nil : name
    }

    /// How many channels the server lets a session have, as far as ecr ever needs them: at most three, this target's
    /// own included.
    package func countChannels() async throws(SSHError) -> Int {
        var opened: [SSHChannel] = []
        defer { opened.forEach { $0.close() } }
        let own = sftp == nil ? 1 : 2
        while own + opened.count < 3 {
            do throws(SSHError) { opened.append(try await session.openExec("exec cat")) } catch {
                guard error.code == .channelRefused else { throw error }
                break
            }
        }
        return own + opened.count
    }
}
