import Glibc
import LinuxSystem

/// Files that have not come whole yet.
extension RunDirectory {
    /// The folder in which they are. No file of a target can get this name, since `%` is always encoded.
    package static var partsName: String { "%part" }

    /// What has come by hand: a folder for each time.
    package var pulled: String { "\(artifacts)/pulled" }

    /// Of the pulls by hand.
    package var handParts: String { "\(pulled)/\(Self.partsName)" }

    /// All such folders that are there.
    package var partsFolders: [String] {
        let folders = Self.folders(in: artifacts) + Self.folders(in: pulled)
        return folders.map { "\($0)/\(Self.partsName)" }.filter { FileSystem.isDirectory($0) }
    }

    private static func folders(in directory: String) -> [String] {
        ((try? FileSystem.list(directory)) ?? []).filter { $0 != partsName }.map { "\(directory)/\($0)" }
    }

    /// Removes them, once nobody will go on with them. Failing to costs space, not data.
    package func removeParts() {
        for folder in partsFolders { try? FileSystem.removeTree(folder) }
        // Whoever attaches a file to a note may do so at any time.
        for folder in Self.folders(in: artifacts) where folder != attachments && FileSystem.isDirectory(folder) {
            Self.removeUnfinished(in: folder)
        }
    }

    /// Brief files are written where they belong; a supervisor that was killed may have left one that it had begun. Where
    /// nothing has come no folder need tell of it.
    package static func removeUnfinished(in folder: String) {
        for name in (try? FileSystem.list(folder)) ?? [] {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { removeUnfinished(in: path) }
            if status.st_mode == S_IFREG | FileSystem.unfinishedMode { unlink(path) }
        }
        rmdir(folder)
    }

    /// Brings what pulls by hand have left in folders of their own to the common one; what is there already stays.
    /// - Parameter busy: folders in which somebody is at work.
    package func gatherHandParts(except busy: Set<String>) {
        for folder in partsFolders
        where folder.hasPrefix("\(pulled)/") && folder != handParts && !busy.contains(folder) {
            try? FileSystem.makeDirectories(handParts)
            // A link replaces nothing, so that nothing is taken away from under a pull that has begun the same file.
            for name in (try? FileSystem.list(folder)) ?? [] { link("\(folder)/\(name)", "\(handParts)/\(name)") }
            try? FileSystem.removeTree(folder)
            Self.removeUnfinished(in: FileSystem.parent(of: folder))
        }
    }
}
