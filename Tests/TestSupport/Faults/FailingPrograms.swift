import LinuxSystem

/// Programs of a target's that are killed as soon as they begin, as where memory is short, or that it does not have.
package final class FailingPrograms: Sendable {
    private let scratch: ScratchDirectory
    /// The line of sshd_config(5) by which a server's sessions have them.
    package let serverLine: String

    package init(_ names: String...) throws {
        scratch = try ScratchDirectory()
        serverLine = "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"
        for name in names { try scratch.write("bin/\(name)", "#!/bin/sh\nkill -KILL $$\n", mode: 0o755) }
    }
}
