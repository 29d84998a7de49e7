/// Where what jobs have written is shown; at first it may hold back all but the last lines.
struct LogWriter {
    private typealias Chunk = (bytes: [UInt8], newlines: Int, isError: Bool)

    /// The number of lines to hold back; nil when everything is shown at once.
    private var tail: Int?
    private var held: [Chunk] = []
    private var heldNewlines = 0

    /// - Parameter tail: show only so many lines of what comes before `release`.
    init(tail: Int?) { self.tail = tail }

    mutating func write(_ bytes: [UInt8], isError: Bool) {
        guard let tail else { return Terminal.jobOutput(bytes, isError: isError) }
        let newlines = bytes.count { $0 == 0x0A }
        held.append((bytes, newlines, isError))
        heldNewlines += newlines
        dropWhatIsNotNeeded(tail)
    }

    /// One newline more than lines, since the last one may be the end of the last line. In batches, because removing the
    /// first elements of an array moves all others.
    private mutating func dropWhatIsNotNeeded(_ tail: Int) {
        guard heldNewlines > 2 * (tail + 512) else { return }
        var count = 0
        while heldNewlines - held[count].newlines > tail + 1 {
            heldNewlines -= held[count].newlines
            count += 1
        }
        held.removeFirst(count)
    }

    /// Shows the last lines; from now on everything is shown at once.
    mutating func release() {
        guard let lines = tail else { return }
        tail = nil
        var surplus = heldNewlines - lines + (held.last?.bytes.last == 0x0A ? 0 : 1)
        for chunk in held {
            var bytes = chunk.bytes[...]
            while surplus > 0, let newline = bytes.firstIndex(of: 0x0A) {
                bytes = bytes[(newline + 1)...]
                surplus -= 1
            }
            if surplus <= 0 && !bytes.isEmpty { Terminal.jobOutput(Array(bytes), isError: chunk.isError) }
        }
        held = []
    }
}

/// Puts the pieces of several streams together to lines, each with its time and a label.
struct LabelledLines {
    private var open: [(label: String, time: String, bytes: [UInt8])] = []

    /// The lines that a piece ends.
    /// - Parameters:
    ///   - label: names the stream; a line that the piece leaves open goes on with the next one of that label.
    ///   - time: when the piece was recorded.
    mutating func take(_ piece: [UInt8], label: String, time: String) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = piece[...]
        while let newline = rest.firstIndex(of: 0x0A) {
            let begun = close(label)
            lines.append(line(label, begun?.time ?? time, (begun?.bytes ?? []) + rest[..<newline]))
            rest = rest[(newline + 1)...]
        }
        guard !rest.isEmpty else { return lines }
        if let index = open.firstIndex(where: { $0.label == label }) {
            open[index].bytes += rest
        } else {
            open.append((label, time, Array(rest)))
        }
        return lines
    }

    /// Ends the open lines of all labels with a prefix.
    mutating func end(_ prefix: String = "") -> [[UInt8]] {
        open.map(\.label).filter { $0.hasPrefix(prefix) }.compactMap { label in
            close(label).map { line(label, $0.time, $0.bytes) }
        }
    }

    private mutating func close(_ label: String) -> (time: String, bytes: [UInt8])? {
        guard let index = open.firstIndex(where: { $0.label == label }) else { return nil }
        let begun = open.remove(at: index)
        return (begun.time, begun.bytes)
    }

    private func line(_ label: String, _ time: String, _ bytes: [UInt8]) -> [UInt8] {
        let text = bytes.last == 0x0D ? bytes.dropLast() : bytes[...]
        return Array("\(Amount.exactClock(time)) \(label)| ".utf8) + text + [0x0A]
    }
}
