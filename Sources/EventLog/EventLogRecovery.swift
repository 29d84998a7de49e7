import Glibc
import Hashing
import LinuxSystem

/// Finds the end of the acknowledged events when a writer opens the stream, and puts a torn last line aside.
struct EventLogRecovery {
    /// Behind the last whole event.
    let checkpoint: Checkpoint
    /// The last whole event; nil in an empty stream.
    let last: Event?
    /// The bytes that were cut off behind it, and the file that keeps them.
    let torn: (bytes: Int64, keptAs: String)?

    /// Only the last line can be torn, so only the two last lines are looked at; `ecr verify` reads them all.
    init(_ file: File) throws(EventLogError) {
        do { try self.init(reading: file) } catch let error as EventLogError { throw error } catch {
            let isStorage = (error as? SystemError)?.isStorageFailure ?? false
            throw EventLogError(isStorage ? .storage : .unavailable, "\(error)")
        }
    }

    private init(reading file: File) throws {
        let size = try file.size()
        let tail = try TailLines(file, size: size)
        if tail.partial == 0, let (event, checkpoint) = try? tail.decodeLast() {
            (self.checkpoint, last, torn) = (checkpoint, event, nil)
            return
        }
        let good = tail.partial > 0 || tail.end == 0 ? tail : try tail.withoutLast(file)
        if good.end == 0 {
            (checkpoint, last) = (Checkpoint(), nil)
        } else {
            let decoded = try good.decodeLast()
            (checkpoint, last) = (decoded.checkpoint, decoded.event)
        }
        guard size > good.end else {
            torn = nil
            return
        }
        // A stream that is damaged further up is evidence: nothing of it is changed.
        var reader = try EventReader(path: file.path)
        while reader.checkpoint.byteOffset < good.end, try reader.next() != nil {}
        let keptAs = "\(file.path).torn-\(good.end)"
        try FileSystem.replace(
            keptAs, with: try file.read(at: good.end, count: Int(min(size - good.end, EventWriter.mostTornBytesKept))))
        try file.truncate(to: good.end)
        try file.sync()
        torn = (size - good.end, FileSystem.name(of: keptAs))
    }
}

/// The last whole line before an offset of the file, and how many bytes behind it have no newline.
private struct TailLines {
    /// Without its newline; empty when there is no whole line.
    var line: [UInt8]
    /// The offset behind the last newline.
    var end: Int64
    /// Bytes behind `end` that belong to no whole line.
    var partial: Int64
    let path: String

    init(_ file: File, size: Int64) throws(SystemError) {
        path = file.path
        var window: Int64 = 1 << 16
        while true {
            let start = max(0, size - window)
            let bytes = try file.read(at: start, count: Int(size - start))
            if let newline = bytes.lastIndex(of: 0x0A) {
                let before = bytes[..<newline].lastIndex(of: 0x0A)
                if before != nil || start == 0 {
                    line = Array(bytes[(before.map { $0 + 1 } ?? 0)..<newline])
                    end = start + Int64(newline) + 1
                    partial = size - end
                    return
                }
            } else if start == 0 {
                (line, end, partial) = ([], 0, size)
                return
            }
            window *= 4
        }
    }

    func decodeLast() throws(EventLogError) -> (event: Event, checkpoint: Checkpoint) {
        do {
            let event = try Event(line: line)
            var checkpoint = Checkpoint()
            checkpoint.seq = event.seq + 1
            checkpoint.byteOffset = end
            checkpoint.hash = SHA256.hexDigest(of: line)
            return (event, checkpoint)
        } catch {
            throw EventLogError(.damaged, "\(path) is damaged before its last line; `ecr run events` reads up to there")
        }
    }

    /// The same for the file without its last whole line, which turned out not to be an event.
    func withoutLast(_ file: File) throws(SystemError) -> TailLines {
        var previous = try TailLines(file, size: end - Int64(line.count) - 1)
        previous.partial += Int64(line.count) + 1
        return previous
    }
}
