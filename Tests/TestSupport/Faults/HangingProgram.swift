import LinuxSystem

/// A program of a target's that hangs, as one does whose disk or network share is gone, until it is let go on.
package final class HangingProgram: Sendable {
    private let scratch: ScratchDirectory
    /// The line of sshd_config(5) by which a server's sessions have it.
    package let serverLine: String

    /// - Parameter name: of a program of this machine's.
    package init(_ name: String) throws {
        scratch = try ScratchDirectory()
        guard let usual = Command.find(name) else { throw SystemError("find", path: name, code: 2) }
        serverLine = "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin"
        try scratch.write("bin/\(name)", "#!/bin/sh\n\(wait)exec \(usual) \"$@\"\n", mode: 0o755)
    }

    /// An SFTP server that hangs before its greeting. Its server must have no other (`servesSFTP`).
    /// - Parameter connection: from which one on; the ones before it are well.
    package init(sftpFrom connection: Int) throws {
        scratch = try ScratchDirectory()
        serverLine = "Subsystem sftp \(scratch.path("sftp"))"
        // Origin: Debian's openssh-sftp-server.
        let usual = "/usr/lib/openssh/sftp-server"
        let count = "n=1; until mkdir '\(scratch.path)/'$n 2>/dev/null; do n=$((n+1)); done\n"
        try scratch.write(
            "sftp", "#!/bin/sh\n\(count)if [ $n -ge \(connection) ]; then\n\(wait)fi\nexec \(usual)\n", mode: 0o755)
    }

    /// Nothing waits for what is not there any more.
    private var wait: String {
        """
        : >'\(scratch.path("begun"))'
        while [ -d '\(scratch.path)' ] && [ ! -e '\(scratch.path("go"))' ]; do sleep 0.05; done

        """
    }

    package var hasBegun: Bool { FileSystem.exists(scratch.path("begun")) }

    /// Returns once somebody has run it; after 30 seconds in any case.
    package func waitUntilBegun() async throws {
        for _ in 0..<1500 where !hasBegun { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Nothing hangs any more.
    package func goOn() throws { try scratch.write("go", "") }
}
