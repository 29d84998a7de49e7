import Glibc
package import LinuxSystem

/// What a name on this machine stands for when it is to be uploaded: a file, or a directory with all that is in it.
package struct UploadTree: Sendable, Equatable {
    package struct Folder: Sendable, Equatable {
        /// Below the directory that was asked for, raw; empty for that itself.
        package let relative: [UInt8]
        package let permissions: UInt32
        /// As of `LocalFile`.
        package let specialBits: UInt32
    }

    /// What cannot be uploaded.
    package struct Problem: Error, Sendable, Equatable {
        /// What is wrong, name by name.
        package let reasons: [String]
        /// The absolute path that was asked for.
        package let path: RawPath
        package let fault: Fault

        package enum Fault: Sendable {
            /// There is nothing of that name, or nobody may look.
            case missing
            /// It is neither file nor directory, or cannot be read.
            case itself
            /// Something in the directory.
            case inside
        }
    }

    /// The absolute path that was asked for.
    package let path: RawPath
    /// How it is called in a directory of the target's, raw; empty for a path that ends in `/.`, which means what is in it.
    package let name: [UInt8]
    package private(set) var files: [LocalFile] = []
    /// The directory itself and all below it, parents first; none for a file.
    package private(set) var folders: [Folder] = []
    package var isFolder: Bool { !folders.isEmpty }
    package var bytes: Int64 { files.reduce(0) { $0 + $1.size } }

    /// The directory without links, with a slash at its end: links that lead out of it are not followed.
    private var tree: [UInt8] = []
    private var refusals: [String] = []

    /// Origin: as for pulls; a name like `/` would else take all memory.
    private static let mostFiles = 1_000_000
    /// Origin: a list that fits on a screen.
    private static let mostRefusals = 10

    /// Looks at what is there now.
    package init(_ path: String) throws(Problem) { try self.init(RawPath(path)) }

    package init(_ path: RawPath) throws(Problem) {
        self.path = path.absolute
        name = Self.name(of: self.path)
        var status = stat()
        guard stat(self.path.characters, &status) == 0, let real = self.path.real else {
            let reason = String(cString: strerror(errno))
            throw Problem(reasons: ["\(path.text): \(reason)"], path: self.path, fault: .missing)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: addFile(real, name, status)
        case S_IFDIR:
            tree = Self.folder(real)
            addFolder(real, [], status, [])
        default: refuse(path, "not a regular file, nor a directory")
        }
        if !refusals.isEmpty {
            throw Problem(reasons: refusals, path: self.path, fault: tree.isEmpty ? .itself : .inside)
        }
    }

    private static let slash = UInt8(ascii: "/")

    private static func name(of path: RawPath) -> [UInt8] {
        let end = path.bytes.lastIndex { $0 != slash } ?? path.bytes.startIndex
        let name = RawPath(Array(path.bytes[...end])).name
        return name == [UInt8(ascii: ".")] ? [] : name
    }

    /// With a slash at its end.
    private static func folder(_ path: RawPath) -> [UInt8] { path.appending([]).bytes }

    private mutating func refuse(_ path: RawPath, _ reason: String) {
        if refusals.count < Self.mostRefusals { refusals.append("\(path.text): \(reason)") }
    }

    private mutating func addFile(_ path: RawPath, _ relative: [UInt8], _ status: stat) {
        guard access(path.characters, R_OK) == 0 else { return refuse(path, String(cString: strerror(errno))) }
        guard files.count < Self.mostFiles else { return refuse(path, "more than \(Self.mostFiles) files") }
        files.append(LocalFile(path, relative, status))
    }

    /// - Parameter above: the real paths of the directories that lead here.
    private mutating func addFolder(_ path: RawPath, _ relative: [UInt8], _ status: stat, _ above: [RawPath]) {
        folders.append(
            Folder(
                relative: relative, permissions: status.st_mode & 0o777, specialBits: status.st_mode & 0o7000))
        let names: [[UInt8]]
        do throws(SystemError) { names = try FileSystem.list(path) } catch { return refuse(path, error.reason) }
        for name in names where refusals.count < Self.mostRefusals {
            add(path.appending(name), relative.isEmpty ? name : relative + [Self.slash] + name, above + [path])
        }
    }

    private mutating func add(_ path: RawPath, _ relative: [UInt8], _ above: [RawPath]) {
        var status = stat()
        guard lstat(path.characters, &status) == 0 else { return refuse(path, String(cString: strerror(errno))) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: addFile(path, relative, status)
        case S_IFDIR: addFolder(path, relative, status, above)
        case S_IFLNK: addLink(path, relative, above)
        default: refuse(path, "not a regular file")
        }
    }

    /// A link that stays in the tree stands for what it leads to; everything else is refused.
    private mutating func addLink(_ path: RawPath, _ relative: [UInt8], _ above: [RawPath]) {
        var status = stat()
        guard stat(path.characters, &status) == 0, let real = path.real else {
            return refuse(path, "a link that leads nowhere")
        }
        guard Self.folder(real).starts(with: tree) else {
            return refuse(path, "a link that leads out of the directory")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: addFile(real, relative, status)
        case S_IFDIR where !above.contains(real): addFolder(real, relative, status, above)
        case S_IFDIR: refuse(path, "a link to a directory that it is in")
        default: refuse(path, "a link to what is no regular file")
        }
    }
}
