import Glibc
import LinuxSystem

/// The regular files below a directory, links not followed.
struct RunTree {
    /// Paths relative to the directory, with their lengths.
    private(set) var files: [(path: String, size: Int64)] = []
    /// Links, sockets and the like.
    private(set) var others: [String] = []
    /// What could not be looked at.
    private(set) var unreadable: [(path: String, error: SystemError)] = []

    /// - Parameter isSkipped: of a path and its last component: what is not to be looked at, nor into.
    init(_ root: String, isSkipped: (_ path: String, _ name: String) -> Bool = { _, _ in false }) throws(SystemError) {
        try add(root, below: "", isSkipped)
    }

    private mutating func add(
        _ root: String, below folder: String, _ isSkipped: (String, String) -> Bool
    ) throws(SystemError) {
        for name in try FileSystem.list(folder.isEmpty ? root : "\(root)/\(folder)") {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if isSkipped(path, name) { continue }
            var status = stat()
            do throws(SystemError) {
                try check("examine", path: "\(root)/\(path)") { lstat("\(root)/\(path)", &status) }
            } catch {
                unreadable.append((path, error))
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try add(root, below: path, isSkipped)
            case S_IFREG: files.append((path, Int64(status.st_size)))
            default: others.append(path)
            }
        }
    }
}
