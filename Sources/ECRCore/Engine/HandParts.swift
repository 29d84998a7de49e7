import Glibc
import LinuxSystem
import RunStore

/// Where pulls by hand keep what has not come whole: in one place for all of them, so that what was stopped, or lost its
/// supervisor, goes on when it is typed again, although it gets another folder then. A pull beside another one keeps it in
/// its own folder, since both may want the same file, and leaves it in the common place at its end.
struct HandParts {
    private let run: RunDirectory
    /// Folders that pulls are at work in: absolute paths.
    private var busy: Set<String> = []

    init(_ run: RunDirectory) { self.run = run }

    /// A folder that no pull had before, also where its files were removed by hand since. It is made by the first file that
    /// comes.
    /// - Parameter last: the path of the last file that has come so, relative to the run directory.
    /// - Returns: relative, too.
    mutating func makeFolder(behind last: String?) -> String {
        let parts = last?.split(separator: "/") ?? []
        var number = (parts.count > 2 && parts[1] == "pulled" ? Int(parts[2]) ?? 0 : 0) + 1
        while FileSystem.exists(folder(number)) || busy.contains(folder(number)) { number += 1 }
        busy.insert(folder(number))
        return run.relative(folder(number))
    }

    private func folder(_ number: Int) -> String {
        let digits = String(number)
        return "\(run.pulled)/" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

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

    /// Where nothing has come no folder need tell of it.
    /// - Parameters:
    ///   - parts: as `take` has returned it.
    ///   - folder: the pull's own.
    mutating func release(_ parts: String, of folder: String) {
        busy.remove("\(run.path)/\(parts)")
        busy.remove("\(run.path)/\(folder)")
        run.gatherHandParts(except: busy)
        RunDirectory.removeUnfinished(in: "\(run.path)/\(folder)")
        // As long as something is in them, they stay.
        if !busy.contains(run.handParts) { rmdir(run.handParts) }
        if busy.isEmpty { rmdir(run.pulled) }
    }
}
