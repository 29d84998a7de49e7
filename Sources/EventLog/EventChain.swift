import Glibc
import Hashing
package import LinuxSystem

/// Checks a stream's numbers and chain by the bytes of its lines alone, many times faster than reading the events.
package enum EventChain {
    /// Whether the lines in front of a checkpoint are those that it speaks of. False is no verdict: the events must be
    /// read to know what is wrong.
    package static func leads(to checkpoint: Checkpoint, in path: String) throws(SystemError) -> Bool {
        var lines = LineReader(try File(path: path, O_RDONLY), upTo: checkpoint.byteOffset)
        var seq: Int64 = 0
        var hash = Event.noHash
        while let line = try lines.next() {
            // The keys have a fixed order (see `Event`): `seq` comes first, `prev` last.
            guard line.bytes.starts(with: "{\"seq\":\(seq),".utf8), line.bytes.hasSuffix("\"prev\":\"\(hash)\"}")
            else { return false }
            seq += 1
            hash = SHA256.hexDigest(of: line.bytes)
        }
        return lines.remainder == 0 && seq == checkpoint.seq && hash == checkpoint.hash
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
