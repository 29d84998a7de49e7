import Glibc
import LinuxSystem
import RemoteJobs

/// A file of this machine that is to be kept with a note.
struct AttachedFile: TransferItem {
    let path: String
    let shownSize: Int64
    /// Bytes that are no holes.
    let dataSize: Int64
    var key: [UInt8] { Array(path.utf8) }
    var shownName: String { FileSystem.name(of: path) }

    init(_ typed: String) throws(ECRFailure) {
        let path = FileSystem.expandingTilde(typed)
        self.path = path
        do throws(SystemError) {
            // O_NONBLOCK: a FIFO is to be refused, not waited for.
            let file = try File(path: path, O_RDONLY | O_NONBLOCK)
            let status = try Self.status(of: file, path)
            shownSize = Int64(status.st_size)
            dataSize = file.dataBytes(of: shownSize)
            if status.st_mode & S_IFMT == S_IFREG { return }
        } catch {
            guard error.code == ENOENT, path.unicodeScalars.contains("\u{FFFD}") else {
                let name = MissingName(RawPath(path).absolute)
                let remark = error.code == ENOENT ? name.remark : ""
                throw ECRFailure(.notFound, error.description + remark, hint: name.hint)
            }
            throw ECRFailure(
                .notFound, "\(path) cannot be attached: its name is not UTF-8",
                hint: "give it another name with mv")
        }
        throw ECRFailure(
            .usage, "\(path) is no regular file, so it cannot be attached",
            hint: FileSystem.isDirectory(path)
                ? "tar -czf folder.tar.gz \(shellWord(path)), then --attach folder.tar.gz"
                : "ls -ld \(shellWord(path))")
    }

    private static func status(of file: File, _ path: String) throws(SystemError) -> stat {
        var status = stat()
        try check("examine", path: path) { fstat(file.descriptor, &status) }
        return status
    }

    /// A file that grows is taken as long as it was; one that says no length, as the kernel's do, to its end.
    /// - Returns: its bytes, their SHA-256, and whether it was written to meanwhile.
    func copy(
        to place: String, _ interrupt: InterruptSignal?, _ progress: TransferProgress
    ) throws -> (size: Int64, sha256: String, isChanged: Bool) {
        let file = try File(path: path, O_RDONLY | O_NONBLOCK)
        let before = try Self.status(of: file, path)
        let copy = try PartFile(place, expected: shownSize)
        let end = shownSize > 0 ? shownSize : .max
        while copy.size < end {
            if let code = try interrupt?.came() { throw ControlClient.Interrupted(exitCode: code) }
            let bytes = try file.read(at: copy.size, count: Int(min(end - copy.size, Self.piece)))
            if bytes.isEmpty { break }
            try copy.append(bytes)
            progress.tell(self, bytes: copy.size)
        }
        // Like what is fetched from a target, it is for nobody to write.
        try copy.finish(isExecutable: false, isSynced: true)
        let now = try Self.status(of: file, path)
        let isChanged =
            now.st_size != before.st_size || before.st_size != shownSize
            || now.st_mtim.tv_sec != before.st_mtim.tv_sec || now.st_mtim.tv_nsec != before.st_mtim.tv_nsec
        return (copy.size, copy.sha256, isChanged)
    }

    /// Origin: as for other files.
    private static let piece: Int64 = 1 << 20
}
