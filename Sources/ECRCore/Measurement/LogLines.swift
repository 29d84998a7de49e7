import Glibc
import LinuxSystem

/// The lines of a file one after the other, in bounded memory, without their ends. Owned by one caller.
///
/// A line ends at LF; of one that is longer than `longest` every piece of that length counts as a line.
struct LogLines {
    private let file: File
    private let end: Int64
    private var offset: Int64 = 0
    private var buffer: [UInt8] = []
    /// What is read already of `buffer`.
    private var place = 0

    /// Origin: nobody writes one by hand, and a machine's document on one line still fits.
    static let longest = 1 << 20
    private static let piece = 1 << 16

    /// - Parameter length: of the file, as far as it is to be read; nil for all of it.
    init(_ path: String, length: Int64? = nil) throws(SystemError) {
        file = try File(path: path, O_RDONLY)
        let size = try file.size()
        end = length.map { min($0, size) } ?? size
    }

    /// Where in the file the next line begins.
    var position: Int64 { offset - Int64(buffer.count - place) }

    /// The next line; nil at the end.
    mutating func next() throws(SystemError) -> [UInt8]? {
        var searched = place
        while true {
            if let newline = buffer[searched...].firstIndex(of: 0x0A) {
                defer { place = newline + 1 }
                return Array(buffer[place..<newline])
            }
            searched = buffer.count
            if buffer.count - place >= Self.longest || offset >= end {
                guard place < buffer.count else { return nil }
                defer { place = buffer.count }
                return Array(buffer[place...])
            }
            buffer.removeFirst(place)
            (searched, place) = (searched - place, 0)
            let bytes = try file.read(at: offset, count: Int(min(Int64(Self.piece), end - offset)))
            if bytes.isEmpty { offset = end }
            offset += Int64(bytes.count)
            buffer += bytes
        }
    }
}
