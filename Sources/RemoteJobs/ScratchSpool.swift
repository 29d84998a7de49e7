import LinuxSystem
package import SSH

/// A directory on a target for jobs that belong to no run, away from the spools and their lock: what is tried out there
/// leaves nothing behind.
///
/// Its first job is a janitor that removes the directory after a while, so that it goes even when ecr or the link does
/// not come back.
package struct ScratchSpool: Sendable {
    /// Its absolute path on the target.
    package let path: String

    private static let janitor = "0001-janitor"
    /// The first number that is free for others.
    package static let firstJob = 2

    /// Makes the directory and starts its janitor.
    /// - Parameter lifetime: seconds after which it goes by itself.
    /// - Returns: nil where the target has no place that can be written.
    package static func make(on target: Target, lifetime: Int) async throws(SSHError) -> ScratchSpool? {
        let name = "ecr-check-" + Host.randomHex(8)
        let reply = try await target.dispatcher.run(
            """
            for r in "${TMPDIR:-/tmp}" /var/tmp "$HOME" /dev/shm; do
            mkdir "$r/\(name)" && { echo "made $r/\(name)"; break; }
            done
            """
        ).text
        guard let made = reply.split(separator: "\n").first(where: { $0.hasPrefix("made /") }) else { return nil }
        let scratch = ScratchSpool(path: String(made.dropFirst("made ".count)))
        // Short naps: without `setsid` a kill reaches only the shell, and its last nap must not stay for long.
        let directory = shellWord(scratch.path)
        let request = JobRequest(
            job: janitor, spool: scratch.path,
            commands: [
                "i=0; while [ $i -lt \(lifetime) ] && [ -d \(directory) ]; do sleep 1; i=$((i+1)); done; rm -rf \(directory)"
            ])
        guard try await target.launch(request) == .launched else {
            try await scratch.remove(from: target)
            return nil
        }
        return scratch
    }

    /// What has become of the janitor, which was meant to live until now.
    package func janitorStanding(on target: Target) async throws(SSHError) -> JobStanding {
        try await target.standing(of: Self.janitor, in: path)
    }

    /// Ends the janitor and removes the directory with everything in it. Other jobs in it must have ended.
    package func remove(from target: Target) async throws(SSHError) {
        try await target.cancel(job: Self.janitor, in: path)
        for _ in 0..<Self.patience where try await janitorStanding(on: target).isAlive {
            try? await Task.sleep(for: .milliseconds(20))
        }
        _ = try await target.dispatcher.run("rm -rf \(shellWord(path))")
    }

    /// Origin: a cancelled group is buried within a tenth of a second, or within a second where `sleep` knows no
    /// fractions; five seconds bear a slow board.
    private static let patience = 250
}

extension JobStanding {
    /// Something of the job still runs, or may be about to.
    package var isAlive: Bool {
        switch self {
        case .running, .wrapperLost, .claimedOnly: true
        case .spoolLost, .unclaimed, .vanished, .rebooted, .ended: false
        }
    }
}
