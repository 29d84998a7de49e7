import CLinux
import Glibc

/// The few operations on names that ECR needs. Paths are absolute or relative to the working directory.
package enum FileSystem {
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// mkdir(2): throws EEXIST when the name is taken, which makes it a claim on the name.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        try check("create directory", path: path) { mkdir(path, mode) }
    }

    /// Makes a directory and its parents where they are missing. New names are on the medium on return: a file that is
    /// synced in a folder without a name is lost with it (fsync(2)).
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        if isDirectory(path) || path.isEmpty { return }
        try makeDirectories(parent(of: path), mode: mode)
        do { try makeDirectory(path, mode: mode) } catch  where error.code == EEXIST && isDirectory(path) {}
        try syncDirectory(parent(of: path))
    }

    /// The names in a directory without `.` and `..`, sorted by their bytes. What is no UTF-8 is replaced in them, so that
    /// they may name nothing.
    package static func list(_ path: String) throws(SystemError) -> [String] {
        try list(RawPath(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The whole of a file; refuses one that is longer than `limit` with EFBIG.
    package static func read(_ path: String, limit: Int64 = 1 << 30) throws(SystemError) -> [UInt8] {
        let file = try File(path: path, O_RDONLY)
        let size = try file.size()
        guard size <= limit else { throw SystemError("read", path: path, code: EFBIG) }
        // Files of /proc say that they are empty.
        return try file.read(at: 0, count: size == 0 ? 65_536 : Int(size))
    }

    /// Replaces a file so that a crash leaves the old or the new content, never a part: temporary file, fsync, rename,
    /// fsync of the directory (without the last one the new name may be lost in a power cut).
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        try replace(path, mode: mode) { (file: File) throws(SystemError) in try file.write(bytes, at: 0) }
    }

    /// The same for content that is written piece by piece.
    package static func replace(
        _ path: String, mode: UInt32 = 0o600, by write: (File) throws(SystemError) -> Void
    ) throws(SystemError) {
        // A name of its own: two threads may replace the same file.
        let random = Host.randomHex(4)
        let temporary = "\(path).tmp-\(getpid())-\(random)"
        let file = try File(path: temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        do throws(SystemError) {
            try write(file)
            try file.sync()
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Whether `replace` gives such names to files on their way: `<name>.tmp-<pid>-<hex>`.
    package static func isTemporary(_ name: String) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false).suffix(3)
        guard let head = parts.first, parts.count == 3, head.hasSuffix(".tmp") else { return false }
        let (pid, random) = (parts[parts.startIndex + 1], parts[parts.startIndex + 2])
        return !pid.isEmpty && pid.allSatisfy(\.isNumber) && !random.isEmpty && random.allSatisfy(\.isHexDigit)
    }

    /// rename(2), then fsync of the directory that holds the new name.
    package static func rename(_ old: String, to new: String) throws(SystemError) {
        try check("rename \(old) to", path: new) { Glibc.rename(old, new) }
        try syncDirectory(parent(of: new))
    }

    package static func syncDirectory(_ path: String) throws(SystemError) {
        try File(path: path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY).sync()
    }

    /// Syncs a directory and those above it, up to one of them.
    package static func syncDirectories(from path: String, to top: String) throws(SystemError) {
        try syncDirectory(path)
        if path != top, path.hasPrefix(top + "/") { try syncDirectories(from: parent(of: path), to: top) }
    }

    /// Removes a directory with everything in it, or a file; links are removed, never followed. What somebody else has
    /// removed meanwhile is gone, too.
    /// - Parameter step: called for each name that was removed.
    package static func removeTree(_ path: String, step: () -> Void = {}) throws(SystemError) {
        try removeTree(RawPath(path), step: step)
    }

    /// The same for names of any bytes.
    package static func removeTree(_ path: RawPath, step: () -> Void = {}) throws(SystemError) {
        do throws(SystemError) {
            var status = stat()
            try check("examine", path: path.text) { lstat(path.characters, &status) }
            if status.st_mode & S_IFMT == S_IFDIR {
                for name in try list(path) { try removeTree(path.appending(name), step: step) }
                try check("remove", path: path.text) { rmdir(path.characters) }
            } else {
                try check("remove", path: path.text) { unlink(path.characters) }
            }
            step()
        } catch  where error.code == ENOENT {}
    }

    /// The bytes of all files in a directory, as far as they can be seen; links are not followed.
    package static func treeSize(_ path: String) -> Int64 {
        var sum = TreeSum()
        return sum.add(path)
    }

    /// The mode of a file while it is written, and of no other: whoever finds it later knows that it was cut.
    package static let unfinishedMode: UInt32 = 0o200

    /// The path without links and dots (realpath(3)); every part of it must exist.
    package static func realPath(_ path: String) throws(SystemError) -> String {
        guard let resolved = realpath(path, nil) else { throw SystemError("resolve", path: path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The room that a user without privileges has on a path's file system (statvfs(3)).
    package static func freeBytes(_ path: String) throws(SystemError) -> Int64 {
        var status = statvfs()
        try check("examine the file system of", path: path) { statvfs(path, &status) }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Everything before the last `/`; "" for a name without one.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Everything behind the last `/`.
    package static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// The path made absolute by the working directory; `.` and `..` stay as they are, since links may stand before them.
    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        let working = String(cString: directory)
        let base = working == "/" ? "" : working
        return path == "." ? working : "\(base)/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
    }

    /// The path with a leading `~` replaced by `$HOME`, else by the home directory of passwd(5).
    package static func expandingTilde(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/") else { return path }
        return homeDirectory + path.dropFirst(1)
    }

    package static var homeDirectory: String {
        if let home = getenv("HOME"), home[0] != 0 { return String(cString: home) }
        if let entry = getpwuid(getuid()) { return String(cString: entry.pointee.pw_dir) }
        return "/"
    }
}
