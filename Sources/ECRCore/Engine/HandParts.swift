import Glibc
import RunStore

/// Where pulls by hand keep what has not come whole: in one place for all of them, so that what was stopped, or lost its
/// supervisor, goes on when it is typed again, although it gets another folder then. A pull beside another one keeps it in
/// its own folder, since both may want the same file, and leaves it in the common place at its end.
struct HandParts {
    private let run: RunDirectory
    /// Folders that pulls are at work in.
    private var busy: Set<String> = []

    init(_ run: RunDirectory) { self.run = run }

    /// - Parameter folder: the pull's own, relative to the run directory.
    /// - Returns: where it keeps its parts, relative, too.
    mutating func take(for folder: String) -> String {
        run.gatherHandParts(except: busy)
        let isFree = busy.insert(run.handParts).inserted
        if isFree { return run.relative(run.handParts) }
        let own = "\(folder)/\(RunDirectory.partsName)"
        busy.insert("\(run.path)/\(own)")
        return own
    }

    /// - Parameter parts: as `take` has returned it.
    mutating func release(_ parts: String) {
        busy.remove("\(run.path)/\(parts)")
        run.gatherHandParts(except: busy)
        // As long as something is in it, it stays.
        if !busy.contains(run.handParts) { rmdir(run.handParts) }
    }
}
