import LinuxSystem

/// The program by which a file on the target is read from an offset on, where there is no SFTP.
package enum OffsetReader: String, Sendable {
    /// It seeks, by whole blocks.
    case dd
    /// `tail -c +N`, where there is no `dd`. BusyBox's reads what stands before the offset, too.
    case tail
    /// From the beginning only, where there is neither.
    case cat

    /// - Parameter tools: those of the target's facts.
    package init(tools: Set<String>) {
        self = tools.contains(Self.dd.rawValue) ? .dd : tools.contains(Self.tail.rawValue) ? .tail : .cat
    }

    /// Whether it can begin elsewhere than at the beginning.
    package var hasOffsets: Bool { self != .cat }

    /// Shell text that prints a file from an offset on to its end.
    /// - Parameters:
    ///   - offset: a multiple of `block`; 0 where it has no offsets.
    ///   - block: bytes.
    func command(_ path: [UInt8], from offset: Int64, block: Int64) -> [UInt8] {
        switch self {
        case .dd: Array("dd if=".utf8) + shellWord(path) + Array(" bs=\(block) skip=\(offset / block)".utf8)
        case .tail: Array("tail -c +\(offset + 1) -- ".utf8) + shellWord(path)
        case .cat: Array("cat -- ".utf8) + shellWord(path)
        }
    }
}
