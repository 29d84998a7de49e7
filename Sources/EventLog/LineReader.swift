import Glibc
import LinuxSystem

/// Cuts a growing file into lines, in bounded memory. Owned by one caller.
struct LineReader: ~Copyable {
    struct Line {
        /// Without the newline; empty for a line that is longer than `LineReader.longest`.
        let bytes: [UInt8]
        /// In the file, without the newline.
        let length: Int64

        var isTooLong: Bool { length > bytes.count }
    }

    /// Origin: the longest line that is written is the ledger of a run with very many jobs, at some 300 bytes a job; this
    /// holds for 800,000 of them, and a file that is no event stream at all does not fill the memory.
    static let longest = 1 << 28

    private let file: File
    private let longest: Int
    /// Where reading stops; nil for the end that the file has at each call.
    private let end: Int64?
    private var buffer: [UInt8] = []
    private var consumed = 0
    private var fileOffset: Int64

    /// - Parameter offset: where a line begins.
    init(_ file: File, from offset: Int64 = 0, upTo end: Int64? = nil, longest: Int = LineReader.longest) {
        self.file = file
        self.longest = longest
        self.end = end
        fileOffset = offset
    }

    var path: String { file.path }

    /// Bytes that have been read behind the last whole line; all there are once `next` has returned nil.
    var remainder: Int64 { Int64(buffer.count - consumed) }

    /// The next line; nil at the end of what is whole. Call again later for what was appended since.
    mutating func next() throws(SystemError) -> Line? {
        var searched = consumed
        while true {
            if let newline = newline(from: searched) {
                let line = Array(buffer[consumed..<newline])
                consumed = newline + 1
                return Line(bytes: line, length: Int64(line.count))
            }
            if buffer.count - consumed > longest { return try skipLine() }
            buffer.removeFirst(consumed)
            consumed = 0
            searched = buffer.count
            guard try readMore() else { return nil }
        }
    }

    /// Steps back before the line that was read last.
    mutating func unread(_ line: Line) { consumed -= line.bytes.count + 1 }

    /// Whether nothing stands behind the line that was read last.
    func isAtEnd() throws(SystemError) -> Bool {
        guard consumed == buffer.count else { return false }
        if fileOffset >= end ?? .max { return true }
        return try file.read(at: fileOffset, count: 1).isEmpty
    }

    private mutating func skipLine() throws(SystemError) -> Line? {
        var length = Int64(buffer.count - consumed)
        while true {
            (buffer, consumed) = ([], 0)
            guard try readMore() else { return nil }
            if let newline = newline(from: 0) {
                length += Int64(newline)
                consumed = newline + 1
                return Line(bytes: [], length: length)
            }
            length += Int64(buffer.count)
        }
    }

    private mutating func readMore() throws(SystemError) -> Bool {
        let count = min(1 << 16, (end ?? .max) - fileOffset)
        guard count > 0 else { return false }
        let more = try file.read(at: fileOffset, count: Int(count))
        fileOffset += Int64(more.count)
        buffer += more
        return !more.isEmpty
    }

    /// memchr(3): a generic search is several times slower.
    private func newline(from start: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
