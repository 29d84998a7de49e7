import LinuxSystem

/// Cuts the stream of an `ArchiveTransfer` into its frames: for each batch of files a line with a marker, the lines of
/// the hash program, a NUL, and a tar archive.
struct ArchiveFrames {
    enum Frame: Equatable {
        /// All that the hash program said of a batch.
        case hashes([UInt8])
        case part(TarReader.Part)
    }

    private enum State {
        /// In front of the marker, where zeros may fill up the last archive's blocks.
        case between
        case hashes
        case archive(TarReader)
    }

    /// Origin: a thousand names of 4096 bytes, each byte escaped, and their hashes.
    private static let longestText = 16 << 20

    private let marker: [UInt8]
    private var state = State.between
    private var held: [UInt8] = []

    /// A word that no file on the target can know beforehand.
    static func makeMarker() -> String { "ecr" + Host.randomHex(12) }

    init(marker: String) { self.marker = Array(marker.utf8) + [0x0A] }

    /// - Throws: what is no such stream.
    mutating func take(_ bytes: [UInt8]) throws(TarReader.Malformed) -> [Frame] {
        if case .archive = state {} else { held += bytes }
        var frames: [Frame] = []
        var piece = bytes
        while true {
            switch state {
            case .between:
                held = Array(held.drop { $0 == 0 })
                guard held.count >= marker.count else { return frames }
                guard held.starts(with: marker) else { throw TarReader.Malformed(reason: "a batch without its marker") }
                held.removeFirst(marker.count)
                state = .hashes
            case .hashes:
                guard let end = held.firstIndex(of: 0) else {
                    if held.count > Self.longestText { throw TarReader.Malformed(reason: "hashes without an end") }
                    return frames
                }
                frames.append(.hashes(Array(held[..<end])))
                piece = Array(held[(end + 1)...])
                held = []
                state = .archive(TarReader())
            case .archive(var reader):
                // Nobody else may hold the reader's buffer while it grows.
                state = .between
                frames += try reader.take(piece).map { .part($0) }
                if !reader.isOver {
                    state = .archive(reader)
                    return frames
                }
                held = reader.rest
            }
        }
    }
}
