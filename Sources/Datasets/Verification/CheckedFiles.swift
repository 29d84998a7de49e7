import Glibc
import Hashing
import LinuxSystem

/// Reads the files of a run's directory for a check: regular ones only, piece by piece, and counts what was read.
/// Used by one thread.
final class CheckedFiles {
    private let root: String
    private let onRead: (Int64) -> Void
    /// The last ones that were used: the pieces of a job follow one another, and a few jobs may run at a time.
    private var open: [(path: String, file: File)] = []
    private static let mostOpen = 16
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    /// - Parameter onRead: told of every piece that was read.
    init(_ root: String, onRead: @escaping (Int64) -> Void) {
        self.root = root
        self.onRead = onRead
    }

    /// Why a file cannot be compared, for a sentence that begins with its name.
    struct Refusal: Error {
        let isMissing: Bool
        let message: String
    }

    func size(of path: String) throws(Refusal) -> Int64 {
        let file = try file(path)
        do { return try file.size() } catch { throw refusal(error) }
    }

    /// The SHA-256 of a piece; nil where the file ends before.
    func hash(_ path: String, from start: Int64 = 0, count: Int64) throws(Refusal) -> String? {
        let file = try file(path)
        var hash = SHA256()
        var offset = start
        while offset < start + count {
            let got = try read(file, at: offset, count: start + count - offset)
            if got == 0 { return nil }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
            offset += Int64(got)
        }
        return hash.hexDigest()
    }

    /// Whether a piece is just these bytes.
    func holds(_ path: String, at start: Int64, _ bytes: [UInt8]) throws(Refusal) -> Bool {
        let file = try file(path)
        var compared = 0
        while compared < bytes.count {
            let got = try read(file, at: start + Int64(compared), count: Int64(bytes.count - compared))
            if got == 0 || buffer[..<got] != bytes[compared..<compared + got] { return false }
            compared += got
        }
        return true
    }

    /// Reads into the buffer; 0 at the end of the file.
    private func read(_ file: File, at offset: Int64, count: Int64) throws(Refusal) -> Int {
        do throws(SystemError) {
            let got = try check("read", path: file.path) {
                buffer.withUnsafeMutableBytes {
                    pread(file.descriptor, $0.baseAddress, Int(min(Int64($0.count), count)), off_t(offset))
                }
            }
            onRead(Int64(got))
            return got
        } catch { throw refusal(error) }
    }

    private func file(_ path: String) throws(Refusal) -> File {
        if let index = open.firstIndex(where: { $0.path.utf8.elementsEqual(path.utf8) }) { return open[index].file }
        guard Self.isInside(path) else { throw Refusal(isMissing: false, message: "is no path within the run") }
        let file: File
        var status = stat()
        do throws(SystemError) {
            // O_NONBLOCK: a FIFO is to be refused, not waited for.
            file = try File(path: "\(root)/\(path)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            try check("examine", path: path) { fstat(file.descriptor, &status) }
        } catch { throw refusal(error) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Refusal(isMissing: false, message: "is no regular file")
        }
        if open.count == Self.mostOpen { open.removeFirst() }
        open.append((path, file))
        return file
    }

    private func refusal(_ error: SystemError) -> Refusal {
        switch error.code {
        case ENOENT, ENOTDIR: Refusal(isMissing: true, message: "is missing")
        case ELOOP: Refusal(isMissing: false, message: "is a symbolic link")
        default: Refusal(isMissing: false, message: "cannot be read: \(error.reason)")
        }
    }

    /// Whether a path from the record, which may come from anywhere, stays below the directory.
    private static func isInside(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.utf8.contains(0) && !parts.contains { $0.isEmpty || $0 == "." || $0 == ".." }
    }
}
