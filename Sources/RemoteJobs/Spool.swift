import LinuxSystem
package import SSH

/// Who uses a target: told to another controller that is refused.
package struct ControllerIdentity: Sendable {
    /// A hash of the machine id and uid.
    package let id: String
    /// `user@host`.
    package let name: String

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// Why a spool could not be made.
package struct SpoolError: Error, Sendable, Equatable {
    package enum Code: Sendable { case heldByAnother, notWritable }
    package let code: Code
    package let message: String
}

/// What becomes of a spool root that another controller holds.
package enum SpoolClaim: Sendable {
    /// It is left alone, and the run is refused.
    case refuse
    /// The run has its directory there all the same; the lock stays the other's.
    case share
    /// The lock becomes ours.
    case takeOver
}

/// A run's new spool directory.
package struct MadeSpool: Sendable, Equatable {
    /// Absolute.
    package let path: String
    /// The other controller with which the root is shared, or from which it was taken.
    package let other: SpoolLock?
}

/// The spool's root and the run's directory below it.
extension Target {
    /// Finds or makes the root, takes its lock for this controller, and makes a new directory for a run.
    package func makeSpool(
        root: String?, for controller: ControllerIdentity, now: String, claim: SpoolClaim = .refuse
    ) async throws -> MadeSpool {
        let candidates = spoolRoots(root)
        let id = Host.randomHex(8)
        let lock = SpoolLock(controller: controller.id, name: controller.name, since: now).line
        let held =
            switch claim {
            case .refuse: #"echo "held $r $l"; break"#
            case .share: #"echo "other $l""#
            case .takeOver: #"echo "other $l"; rm -f "$r/lock"; set -C; echo \#(shellWord(lock)) >"$r/lock"; set +C"#
            }
        let reply = try await dispatcher.run(
            """
            for r in \(candidates.words); do
            mkdir -p "$r"; [ -d "$r" ] && [ ! -h "$r" ] && [ -O "$r" ] && [ -w "$r" ] || continue
            set -C; echo \(shellWord(lock)) >"$r/lock"; set +C
            read -r l <"$r/lock"; case $l in "lock 1 \(controller.id) "*) ;; "lock 1 "*) \(held) ;; esac
            mkdir "$r/\(id)" && { echo "made $r/\(id)"; break; }
            done
            """
        ).text
        var other: SpoolLock?
        for line in reply.split(separator: "\n") {
            if line.hasPrefix("other ") { other = SpoolLock(line: line.dropFirst("other ".count)) }
            if line.hasPrefix("made /") { return MadeSpool(path: String(line.dropFirst("made ".count)), other: other) }
            if line.hasPrefix("held ") { throw self.held(line) }
        }
        throw SpoolError(
            code: .notWritable,
            message: "no spool directory could be made on the target; tried \(candidates.paths.joined(separator: ", "))"
        )
    }

    /// Where the root may be, in the order of preference, as people read it and as words for the target's shell.
    func spoolRoots(_ root: String?) -> (paths: [String], words: String) {
        let paths = root.map { [$0] } ?? ["/var/tmp/ecr-\(facts.uid)", "${TMPDIR:-/tmp}/ecr-\(facts.uid)"]
        return (paths, paths.map { $0.hasPrefix("$") ? "\"\($0)\"" : shellWord($0) }.joined(separator: " "))
    }

    private func held(_ line: Substring) -> SpoolError {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let lock = SpoolLock(line: words[2]) else {
            return SpoolError(code: .heldByAnother, message: "the target is in use by another controller")
        }
        return SpoolError(
            code: .heldByAnother,
            message: "the target is in use by \(lock.name) since \(lock.since), says \(words[1])/lock there")
    }

    /// Whether a run's spool directory is there.
    package func hasSpool(_ path: String) async throws(SSHError) -> Bool {
        try await dispatcher.run("[ -d \(shellWord(path)) ]").status == 0
    }

    /// Removes a run's spool directory with what uploads have left behind, and the lock when no other run of this
    /// controller is left.
    package func removeSpool(_ path: String) async throws(SSHError) {
        let root = FileSystem.parent(of: path)
        try await removeSeats(in: path)
        _ = try await dispatcher.run(
            """
            rm -rf -- \(shellWord(path))
            ( cd \(shellWord(root)) && set -- */ && { [ -d "$1" ] || rm -f lock; } )
            """)
    }

    /// SHA-256 and length of every job's output in a spool, by `<job's folder>/stdout` and `…/stderr`; hashes are empty where
    /// the target has no sha256sum.
    package func outputHashes(spool: String) async throws(SSHError) -> [String: (bytes: Int64, sha256: String)] {
        let hash = facts.tools.contains("sha256sum") ? "sha256sum */stdout */stderr" : "true"
        let reply = try await dispatcher.run(
            "( cd \(shellWord(spool)) || exit; wc -c */stdout */stderr; echo =; \(hash) )")
        var results: [String: (bytes: Int64, sha256: String)] = [:]
        var isHash = false
        for line in reply.text.split(separator: "\n") {
            if line == "=" {
                isHash = true
                continue
            }
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard words.count == 2 else { continue }
            let name = String(words[1].drop { $0 == " " || $0 == "*" })
            if isHash {
                results[name]?.sha256 = String(words[0])
            } else {
                results[name] = (Int64(words[0]) ?? -1, "")
            }
        }
        return results
    }
}
