package import SSH

/// A place in which the spools may lie, and what is there now. Nothing is changed by looking at it.
package struct SpoolPlace: Sendable, Equatable {
    /// As it was asked for, with variables filled in.
    package var path = ""
    /// The root is there.
    package var exists = false
    /// A run could write there: proven by a directory that was made and removed again.
    package var isWritable = false
    /// The path of the root, or of the nearest directory above it that exists, without links.
    package var physicalPath = ""
    package var freeBytes: Int64?
    /// Nil where the file system does not count them.
    package var freeInodes: Int64?
    package var lock: SpoolLock?
    /// There is a lock that cannot be read: it counts as another's.
    package var isLockDamaged = false
    /// The directories of runs in it.
    package var runs = 0

    init?(lines: some Sequence<Substring>) {
        for line in lines {
            let space = line.firstIndex(of: " ") ?? line.endIndex
            let value = String(line[space...].dropFirst())
            switch line[..<space] {
            case "place": path = value
            case "exists": exists = true
            case "writable": isWritable = true
            case "physical": physicalPath = value
            case "kib": freeBytes = SpoolPlace.available(value).map { $0 * 1024 }
            case "inodes": freeInodes = SpoolPlace.available(value).flatMap { $0 > 0 ? $0 : nil }
            case "lock":
                lock = SpoolLock(line: value)
                isLockDamaged = lock == nil && value.hasPrefix("lock 1 ")
            case "run": runs += 1
            default: break
            }
        }
        if path.isEmpty { return nil }
    }

    /// The number before the one with the percent sign: what `df -P` says is available. The names around the numbers
    /// may hold blanks.
    private static func available(_ line: String) -> Int64? {
        let words = line.split(separator: " ")
        guard let percent = words.lastIndex(where: { $0.hasSuffix("%") || $0 == "-" }), percent > 0 else { return nil }
        return Int64(words[percent - 1])
    }
}

extension Target {
    /// Looks at every place in which `makeSpool` would try to make the root, in its order.
    package func spoolPlaces(root: String?) async throws(SSHError) -> [SpoolPlace] {
        let reply = try await dispatcher.run(
            #"""
            for ecr_r in \#(spoolRoots(root).words); do (
            echo "place $ecr_r"; t=; p=$ecr_r
            while [ ! -e "$p" ] && [ ! -h "$p" ] && [ -n "$p" ]; do t=$p; p=${p%/*}; done
            if [ -z "$t" ]; then echo exists
            [ -d "$p" ] && [ ! -h "$p" ] && [ -O "$p" ] && mkdir "$p/.ecr-check" && rmdir "$p/.ecr-check" && echo writable
            if read -r l <"$p/lock"; then echo "lock $l"; fi
            for d in "$p"/*/; do [ ! -d "$d" ] || echo run; done
            elif mkdir -p "$ecr_r"; then d=$ecr_r
            while rmdir "$d" && [ "$d" != "$t" ]; do d=${d%/*}; done; echo writable; fi
            cd "${p:-/}" || exit; echo "physical $(pwd -P)"
            df -Pk . | { while read -r l; do x=$l; done; echo "kib $x"; }
            df -Pi . | { while read -r l; do x=$l; done; echo "inodes $x"; }
            ); done
            """#
        ).text
        var places: [[Substring]] = []
        for line in reply.split(separator: "\n") {
            if line.hasPrefix("place ") { places.append([]) }
            if !places.isEmpty { places[places.count - 1].append(line) }
        }
        return places.compactMap { SpoolPlace(lines: $0) }
    }
}
