import Glibc
import JSON
import LinuxSystem
import Profiles

/// The metrics that rules look at, from one stream of an action as it comes, line by line. Owned by the stream's recorder.
///
/// A line ends at LF, and at CR, by which progress is written. One that is longer than `LogLines.longest` counts in pieces
/// of that length. A JSON document of several lines tells nothing before the action's end.
struct LiveMetrics {
    private let action: String
    private var readers: [(name: String, reader: MetricLineReader)]
    /// The beginning of a line whose end has not come.
    private var rest: [UInt8] = []
    private let onValues: @Sendable ([SampleValues]) async -> Void

    init(
        _ metrics: [PreparedMetric], of action: String,
        _ onValues: @escaping @Sendable ([SampleValues]) async -> Void
    ) {
        self.action = action
        self.onValues = onValues
        readers = metrics.map { ($0.metric.name, MetricLineReader($0.metric.source)) }
    }

    /// Takes up a stream of which an earlier supervisor has recorded something: the names of its columns, and the line
    /// that it was in.
    mutating func resume(_ path: String, length: Int64) throws(SystemError) {
        guard length > 0 else { return }
        for index in readers.indices where readers[index].reader.needsNames {
            var lines = try LogLines(path, length: length)
            while readers[index].reader.needsNames, let line = try lines.next() { _ = readers[index].reader.take(line) }
        }
        let from = max(0, length - Int64(LogLines.longest))
        let tail = try File(path: path, O_RDONLY).read(at: from, count: Int(length - from))
        rest = Array(tail[(tail.lastIndex(where: Self.isEnd).map { $0 + 1 } ?? 0)...])
    }

    /// Takes what follows.
    /// - Parameter isLast: nothing comes behind it.
    mutating func take(_ bytes: [UInt8], isLast: Bool) async {
        var samples: [SampleValues] = []
        var piece = bytes[...]
        while let end = piece.firstIndex(where: Self.isEnd) {
            rest += piece[..<end]
            piece = piece[(end + 1)...]
            takeLine(&samples)
        }
        rest += piece
        if isLast || rest.count >= LogLines.longest { takeLine(&samples) }
        if !samples.isEmpty { await onValues(samples) }
    }

    private mutating func takeLine(_ samples: inout [SampleValues]) {
        let line = rest
        rest = []
        if line.isEmpty { return }
        let now = Clock.wallMicroseconds()
        for index in readers.indices where !readers[index].reader.isOver {
            for value in readers[index].reader.take(line).values {
                // What diverges becomes `inf` or `nan`, which is no number of JSON.
                guard let number = value.measure ?? value.string.flatMap({ Double($0) }) else { continue }
                samples.append(
                    SampleValues(
                        owner: .action(action), time: now, fields: [readers[index].name: number], isWhole: false))
            }
        }
    }

    private static func isEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
