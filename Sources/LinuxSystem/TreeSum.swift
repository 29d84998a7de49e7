import Glibc

/// Adds up the bytes of files in directories. A file that has several names counts once in each directory, and once in all
/// of them together (du(1)). Used by one thread.
package struct TreeSum {
    private struct Inode: Hashable {
        let device: UInt
        let number: UInt
    }

    /// Of all directories so far.
    package private(set) var bytes: Int64 = 0
    /// Those that have several names.
    private var counted: Set<Inode> = []

    package init() {}

    /// - Parameter step: called for each name that was looked at.
    /// - Returns: the bytes of all files in a directory, as far as they can be seen; links are not followed.
    package mutating func add(_ path: String, step: () -> Void = {}) -> Int64 {
        var own: Set<Inode> = []
        return add(RawPath(path), &own, step)
    }

    private mutating func add(_ path: RawPath, _ own: inout Set<Inode>, _ step: () -> Void) -> Int64 {
        var status = stat()
        guard lstat(path.characters, &status) == 0 else { return 0 }
        step()
        if status.st_mode & S_IFMT == S_IFDIR {
            let names = (try? FileSystem.list(path)) ?? []
            return names.reduce(0) { $0 + add(path.appending($1), &own, step) }
        }
        let size = Int64(status.st_size)
        guard status.st_nlink > 1 else {
            bytes += size
            return size
        }
        let inode = Inode(device: UInt(status.st_dev), number: UInt(status.st_ino))
        if counted.insert(inode).inserted { bytes += size }
        return own.insert(inode).inserted ? size : 0
    }
}
