import LinuxSystem
package import SSH

/// A run's directory in a spool root on a target.
package struct StoredSpool: Sendable, Equatable {
    package let path: String
    /// What it takes on the target; nil where that has no `du`.
    package var bytes: Int64?
    /// The folders of jobs that run now.
    package var runningJobs: [String] = []

    /// Random, and on record in the run that it belongs to.
    package var id: String { FileSystem.name(of: path) }
}

/// A spool root on a target, with its lock and everything that lies in it.
package struct SpoolInventory: Sendable, Equatable {
    package let root: String
    package var lock: SpoolLock?
    package var isLockDamaged = false
    package var spools: [StoredSpool] = []

    /// Whether it is another controller's.
    package func isHeldByAnother(than controller: ControllerIdentity) -> Bool {
        isLockDamaged || lock.map { $0.controller != controller.id } ?? false
    }

    /// Reads the answer of the survey; what is no run's directory is left out, and is left alone.
    static func all(in reply: String) -> [SpoolInventory] {
        var roots: [SpoolInventory] = []
        for line in reply.split(separator: "\n") {
            let space = line.firstIndex(of: " ") ?? line.endIndex
            let value = String(line[space...].dropFirst())
            if line[..<space] == "root" {
                roots.append(SpoolInventory(root: value))
            } else if !roots.isEmpty {
                roots[roots.count - 1].take(line[..<space], value)
            }
        }
        return roots
    }

    private mutating func take(_ key: Substring, _ value: String) {
        switch key {
        case "lock":
            lock = SpoolLock(line: value)
            isLockDamaged = lock == nil && value.hasPrefix("lock 1 ")
        case "spool":
            let words = value.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[1] == "\(root)/\(FileSystem.name(of: String(words[1])))" else { return }
            let spool = StoredSpool(path: String(words[1]), bytes: Int64(words[0]).map { $0 * 1024 })
            if SpoolInventory.isID(spool.id) { spools.append(spool) }
        case "running":
            guard let slash = value.lastIndex(of: "/"), spools.last?.path == String(value[..<slash]) else { return }
            spools[spools.count - 1].runningJobs.append(String(value[value.index(after: slash)...]))
        default: break
        }
    }

    /// 16 hex digits, as `makeSpool` makes them.
    private static func isID(_ name: String) -> Bool {
        name.utf8.count == 16
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

extension Target {
    /// Looks into the roots in which runs on this target have, or would have, their spools.
    /// - Parameters:
    ///   - root: the profile's `spool_dir`; nil for the usual places.
    ///   - others: further roots, absolute.
    package func inventory(root: String?, others: [String] = []) async throws(SSHError) -> [SpoolInventory] {
        let words = ([spoolRoots(root).words] + others.map(shellWord)).joined(separator: " ")
        let reply = try await dispatcher.run(
            """
            for ecr_r in \(words); do ( r=$ecr_r
            [ -d "$r" ] && [ ! -h "$r" ] && [ -O "$r" ] || exit
            echo "root $r"; if read -r l <"$r/lock"; then echo "lock $l"; fi
            for d in "$r"/*/; do d=${d%/}; [ -d "$d" ] && [ ! -h "$d" ] || continue
            set -- $(du -sk "$d"); echo "spool ${1:-?} $d"
            for j in "$d"/*/claim; do j=${j%/claim}; [ -e "$j/meta" ] && [ ! -e "$j/exit" ] || continue
            read -r l <"$j/meta"; set -- $l; [ "$7" = "$ecr_boot" ] || continue
            if ecr_alive "$5" "$6" || ecr_alive "$3" "$4"; then echo "running $j"; fi; done
            done ); done
            """
        ).text
        var seen: Set<String> = []
        return SpoolInventory.all(in: reply).filter { seen.insert($0.root).inserted }
    }

    /// Replaces the lock of a root, whoever holds it.
    /// - Returns: whether it is this controller's now.
    package func takeOver(
        root: String, for controller: ControllerIdentity, now: String
    ) async throws(SSHError) -> Bool {
        let lock = SpoolLock(controller: controller.id, name: controller.name, since: now).line
        let file = shellWord("\(root)/lock")
        let reply = try await dispatcher.run(
            "rm -f \(file); set -C; echo \(shellWord(lock)) >\(file); set +C; read -r ecr_m <\(file); echo \"$ecr_m\"")
        return reply.text.hasPrefix(lock)
    }

    /// Removes the lock of a root in which no run has a spool.
    package func removeLock(ofEmpty root: String) async throws(SSHError) {
        _ = try await dispatcher.run(
            "( cd \(shellWord(root)) && set -- */ && { [ -d \"$1\" ] || rm -f lock; } )")
    }
}
