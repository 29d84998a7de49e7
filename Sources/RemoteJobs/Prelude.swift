import LinuxSystem

/// What a login shell's start-up files print before a script's own output, which begins behind a marker.
struct Prelude {
    /// A line that nobody else prints.
    struct Marker {
        let bytes = Array("\necr\(Host.randomHex(12))\n".utf8)

        /// Shell text that prints it.
        var print: String { "printf %s \(shellWord(String(decoding: bytes, as: UTF8.self)))" }
    }

    private let marker: [UInt8]
    /// The last bytes that may be the marker's beginning; nil behind the marker.
    private var held: [UInt8]? = []

    init(_ marker: Marker) { self.marker = marker.bytes }

    /// What of the stream's next bytes stands behind the marker.
    mutating func rest(of bytes: [UInt8]) -> [UInt8] {
        guard var all = held else { return bytes }
        all += bytes
        for place in 0..<max(0, all.count - marker.count + 1)
        where all[place] == marker[0] && all[place..<place + marker.count].elementsEqual(marker) {
            held = nil
            return Array(all[(place + marker.count)...])
        }
        held = Array(all.suffix(marker.count - 1))
        return []
    }
}
