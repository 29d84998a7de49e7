/// The last values of a series as a row of bars, the lowest and the highest at the ends of their height.
struct Sparkline {
    private var values: [Double] = []
    private let width: Int
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    init(width: Int) { self.width = width }

    mutating func add(_ value: Double) {
        values.append(value)
        if values.count > width { values.removeFirst() }
    }

    var text: String {
        guard let low = values.min(), let high = values.max() else { return "" }
        return String(
            values.map { value in
                // The space between two numbers may be too large for a number.
                guard high > low, (high - low).isFinite else { return Self.bars[0] }
                return Self.bars[min(7, max(0, Int((value - low) / (high - low) * 8)))]
            })
    }
}
