import Glibc

/// A path as the kernel has it: bytes, which need not be UTF-8.
package struct RawPath: Sendable, Equatable, Hashable {
    /// Without NUL.
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// - Parameter text: ended by NUL.
    package init(cString text: UnsafePointer<CChar>) {
        bytes = UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }

    /// For people: what is no UTF-8 is replaced in it, so that it may name nothing.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private static let slash = UInt8(ascii: "/")

    package var isAbsolute: Bool { bytes.first == Self.slash }

    /// Everything behind the last `/`.
    package var name: [UInt8] { Array(bytes[(bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0)...]) }

    /// A name in a directory.
    package func appending(_ name: [UInt8]) -> RawPath {
        RawPath(bytes.last == Self.slash ? bytes + name : bytes + [Self.slash] + name)
    }

    /// As `FileSystem.absolute`.
    package var absolute: RawPath {
        if isAbsolute { return self }
        guard let directory = getcwd(nil, 0) else { return self }
        defer { free(directory) }
        let working = RawPath(cString: directory)
        if bytes == [UInt8(ascii: ".")] { return working }
        let isDotted = bytes.starts(with: [UInt8(ascii: "."), Self.slash])
        return working.appending(Array(bytes.dropFirst(isDotted ? 2 : 0)))
    }

    /// The path without links and dots (realpath(3)).
    package var real: RawPath? {
        guard let resolved = realpath(characters, nil) else { return nil }
        defer { free(resolved) }
        return RawPath(cString: resolved)
    }

    /// For a call of the C library, ended by NUL.
    package var characters: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}

extension FileSystem {
    /// The names in a directory without `.` and `..`, sorted by their bytes.
    package static func list(_ path: RawPath) throws(SystemError) -> [[UInt8]] {
        guard let directory = opendir(path.characters) else { throw SystemError("list", path: path.text) }
        defer { closedir(directory) }
        var names: [[UInt8]] = []
        while true {
            errno = 0  // readdir(3) says nothing else at the end than in an error.
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { RawPath(cString: $0).bytes }
            }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        if errno != 0 { throw SystemError("list", path: path.text) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
