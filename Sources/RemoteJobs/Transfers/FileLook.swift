import LinuxSystem

/// A look at a file's name by the script that has read the file: it costs no round trip of its own.
struct FileLook {
    /// What else the script has said on stderr.
    let complaints: [String]
    /// nil where it has not come so far.
    private let lines: [String]?

    private static let mark = "ecr_look"
    private static let gone = "gone"

    /// Shell text behind what has read a file: says on stderr what is there, and ends with the reader's status.
    static func script(_ path: [UInt8], _ status: TransferTools.Status) -> [UInt8] {
        let look = """

            \(ShellListing.statusFunction(status, follows: true)); echo \(mark) >&2
            if [ -e "$ecr_f" ]; then ecr_s "$ecr_f" >&2 2>/dev/null; else echo \(gone) >&2; fi; exit $ecr_e
            """
        return Array("; ecr_e=$?; ecr_f=".utf8) + shellWord(path) + Array(look.utf8)
    }

    /// - Parameter lines: all of stderr.
    init(_ lines: [String]) {
        let place = lines.lastIndex(of: Self.mark)
        complaints = Array(lines[..<(place ?? lines.endIndex)])
        self.lines = place.map { Array(lines[($0 + 1)...]) }
    }

    /// What is there; nil where nothing is, or where it was not told.
    func name(of file: RemoteFile) -> ListedName? {
        for line in lines ?? [] {
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
            if words.count == 6 { return ListedName(Array(words.prefix(5)), path: file.path) }
        }
        return nil
    }

    /// nil where the file is as it was, or nothing was told.
    func change(of file: RemoteFile) -> FileChange? {
        if lines?.first == Self.gone { return .removed }
        return name(of: file).flatMap { FileChange(of: file, now: $0) }
    }
}
