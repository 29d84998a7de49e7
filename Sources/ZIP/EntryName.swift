/// The rules for names in an archive, the same for what is written and for what is read.
enum EntryName {
    /// Origin: the name's length has 16 bits (APPNOTE.TXT 4.4.10).
    static let longest = 65_535

    /// Why a name could leave the directory into which it is unpacked, or mean different things to different
    /// programs; nil for a good one. A directory's name may end with one `/`.
    static func problem(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        if bytes.isEmpty { return "an empty name" }
        if bytes.count > longest { return "a name of more than \(longest) bytes" }
        if bytes.contains(0) { return "a NUL in the name" }
        if bytes.contains(UInt8(ascii: "\\")) { return "a backslash in the name" }
        if bytes[0] == UInt8(ascii: "/") { return "an absolute name" }
        if hasDrive(bytes) { return "a drive letter in the name" }
        let path = bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes[...]
        for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty { return "an empty component in the name" }
            if part.elementsEqual(".".utf8) { return "a '.' in the name" }
            if part.elementsEqual("..".utf8) { return "a '..' in the name" }
        }
        return nil
    }

    /// `C:` alone or as the first component; `c:x` is an honest name on Linux.
    private static func hasDrive(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 2, bytes[1] == UInt8(ascii: ":") else { return false }
        guard bytes.count == 2 || bytes[2] == UInt8(ascii: "/") else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[0] | 0x20)
    }
}

/// The names of one archive, to see which cannot be unpacked beside each other. Names are compared byte by byte, as
/// Linux does: Swift's `==` takes two spellings of `é` for one.
struct NameRegister {
    private var files: Set<[UInt8]> = []
    private var directories: Set<[UInt8]> = []
    /// Directories with an entry of their own.
    private var listed: Set<[UInt8]> = []

    /// Notes a name; says what is wrong with it beside the earlier ones.
    mutating func add(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        let isDirectory = bytes.last == UInt8(ascii: "/")
        let path = isDirectory ? Array(bytes.dropLast()) : bytes
        if isDirectory ? !listed.insert(path).inserted : files.contains(path) { return "a second entry of that name" }
        if isDirectory ? files.contains(path) : directories.contains(path) { return "a file and a directory in one" }
        for (index, byte) in path.enumerated() where byte == UInt8(ascii: "/") {
            let parent = Array(path[..<index])
            if files.contains(parent) { return "a name below a file" }
            directories.insert(parent)
        }
        if isDirectory { directories.insert(path) } else { files.insert(path) }
        return nil
    }
}
