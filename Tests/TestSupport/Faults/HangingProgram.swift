import LinuxSystem

/// A program of a target's that hangs, as one does whose disk or network share is gone, until it is let go on.
package final class HangingProgram: Sendable {
    private let scratch: ScratchDirectory

    /// - Parameter name: of a program of this machine's.
    package init(_ name: String) throws {
        scratch = try ScratchDirectory()
        guard let usual = Command.find(name) else { throw SystemError("find", path: name, code: 2) }
        try scratch.write(
            "bin/\(name)",
            """
            #!/bin/sh
            : >'\(scratch.path("begun"))'
            while [ ! -e '\(scratch.path("go"))' ]; do sleep 0.05; done
            exec \(usual) "$@"

            """, mode: 0o755)
    }

    /// The line of sshd_config(5) by which a server's sessions have it.
    package var serverLine: String { "SetEnv PATH=\(scratch.path("bin")):/usr/bin:/bin" }

    package var hasBegun: Bool { FileSystem.exists(scratch.path("begun")) }

    /// Returns once somebody has run it; after 30 seconds in any case.
    package func waitUntilBegun() async throws {
        for _ in 0..<1500 where !hasBegun { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Nothing hangs any more.
    package func goOn() throws { try scratch.write("go", "") }
}
