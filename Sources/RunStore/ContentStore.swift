import Glibc
import Hashing
package import LinuxSystem

/// Equal content is on the disk once: every fetched file has a second name, by its hash, in a hidden folder of the runs
/// directory, and what comes again is linked to it. Where the file system has no hard links, each file stands alone.
///
/// Files in it are for nobody to write: two runs may share them.
package struct ContentStore: Sendable {
    private let folder: String

    package init(runsDirectory: String) { folder = "\(runsDirectory)/.content" }

    /// Gives a file that is complete and closed its place, or that place to a file of the same content.
    /// - Parameters:
    ///   - part: where it is, which may be its place, and then keeps the file whatever fails; else gone afterwards.
    ///   - destination: on the same file system; what is there was left by a crash and is replaced.
    package func place(
        _ part: String, at destination: String, size: Int64, sha256: String, isExecutable: Bool
    ) throws(SystemError) {
        if size > 0, link(sha256: sha256, size: size, isExecutable: isExecutable, as: destination) {
            if part != destination { unlink(part) }
            return
        }
        if part != destination { try check("rename \(part) to", path: destination) { rename(part, destination) } }
        if size > 0 { keep(destination, as: object(size, sha256, isExecutable)) }
    }

    /// Gives a file its second name; without one it is complete all the same.
    private func keep(_ path: String, as object: String) {
        if Glibc.link(path, object) == 0 || errno != ENOENT { return }
        _ = try? FileSystem.makeDirectories(FileSystem.parent(of: object))
        _ = Glibc.link(path, object)
    }

    /// Whether there may be content of this size: asking costs nothing.
    package func mayHave(size: Int64) -> Bool { size > 0 && FileSystem.isDirectory("\(folder)/\(size)") }

    /// Gives content that is here a name more; false where it is not here, or is not what it should be any more.
    package func link(sha256: String, size: Int64, isExecutable: Bool, as name: String) -> Bool {
        let object = object(size, sha256, isExecutable)
        guard isSound(object, size), let file = try? File(path: object, O_RDONLY | O_NOFOLLOW) else { return false }
        guard (try? Self.hash(file)) == sha256 else { return false }
        if Glibc.link(object, name) == 0 { return true }
        guard errno == EEXIST else { return false }
        // What is there may be the only copy: it goes when the other is there, and not before. No file of a target's can
        // get the name, since `%` is always encoded.
        let other = "\(FileSystem.parent(of: name))/%\(Host.randomHex(8))"
        // Of two names of one file rename(2) takes none away.
        defer { unlink(other) }
        return Glibc.link(object, other) == 0 && rename(other, name) == 0
    }

    private static func hash(_ file: File) throws(SystemError) -> String {
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let bytes = try file.read(at: offset, count: 1 << 20)
            if bytes.isEmpty { return hash.hexDigest() }
            hash.update(bytes)
            offset += Int64(bytes.count)
        }
    }

    /// Removes the content that no run has any more; what is in use stays.
    package func sweep() {
        for size in (try? FileSystem.list(folder)) ?? [] {
            for name in (try? FileSystem.list("\(folder)/\(size)")) ?? [] {
                let path = "\(folder)/\(size)/\(name)"
                var status = stat()
                if lstat(path, &status) == 0, status.st_nlink == 1 { unlink(path) }
            }
            rmdir("\(folder)/\(size)")
        }
        rmdir(folder)
    }

    /// Sizes are folders, so that it costs nothing to see that there is no such content.
    private func object(_ size: Int64, _ sha256: String, _ isExecutable: Bool) -> String {
        "\(folder)/\(size)/\(sha256)\(isExecutable ? ".x" : "")"
    }

    private func isSound(_ object: String, _ size: Int64) -> Bool {
        var status = stat()
        guard lstat(object, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return Int64(status.st_size) == size
    }
}
