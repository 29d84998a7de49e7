import LinuxSystem
import YAML

/// A name on this machine that leads to nothing, and what to say about it.
struct MissingName {
    private let path: String

    /// - Parameter path: absolute.
    init(_ path: RawPath) { self.path = path.text }

    /// ` (did you mean 'model.onnx'?)`, where its directory has a name like it.
    var remark: String {
        let names = (try? FileSystem.list(FileSystem.parent(of: path))) ?? []
        return KnownNames(names).closest(to: FileSystem.name(of: path)).map { " (did you mean '\($0)'?)" } ?? ""
    }

    /// A look at the directory in which it should be, or at the one above that is there.
    var hint: String {
        var folder = FileSystem.parent(of: path)
        while folder != "/", folder != "", !FileSystem.isDirectory(folder) { folder = FileSystem.parent(of: folder) }
        return "ls -la \(shellWord(folder))"
    }
}
