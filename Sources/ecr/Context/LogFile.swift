import ECRCore
import Glibc
import LinuxSystem

/// A raw log, up to where it is on record.
struct LogFile {
    private let file: File
    private let end: Int64

    init(_ path: String, end: Int64) throws(ECRFailure) {
        do { file = try File(path: path, O_RDONLY) } catch { throw ECRFailure(error) }
        self.end = end
    }

    private static let chunk: Int64 = 1 << 16

    /// Shows the log, or its last lines.
    func show(tail: Int?, isError: Bool) throws(ECRFailure) {
        do {
            var offset = try tail.map { (lines) throws(SystemError) in try start(ofLast: lines) } ?? 0
            while offset < end {
                let bytes = try file.read(at: offset, count: Int(min(end - offset, Self.chunk)))
                if bytes.isEmpty { break }
                Terminal.jobOutput(bytes, isError: isError)
                offset += Int64(bytes.count)
            }
        } catch { throw ECRFailure(error) }
    }

    /// Where the last lines begin, looked for from the end on.
    private func start(ofLast lines: Int) throws(SystemError) -> Int64 {
        if lines == 0 { return end }
        var position = end
        var newlines = 0
        while position > 0 {
            let from = max(0, position - Self.chunk)
            let bytes = try file.read(at: from, count: Int(position - from))
            for index in bytes.indices.reversed() where bytes[index] == 0x0A {
                let place = from + Int64(index)
                // The newline that ends the last line divides nothing.
                if place == end - 1 { continue }
                newlines += 1
                if newlines == lines { return place + 1 }
            }
            position = from
        }
        return 0
    }
}
