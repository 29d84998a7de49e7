/// Gives the samples of one collector, in the order of their times, to the windows in which they lie. At any time only the
/// windows that are open are looked at, however many there are.
struct WindowSweep {
    /// For every window what each field had in it.
    private(set) var series: [[Series]]
    private let windows: [ClosedRange<Double>]
    /// The windows that have begun and want samples.
    private var open: [Int] = []
    private var next = 0
    /// The last sample of each field.
    private var last: [(time: Double, value: Double)?]
    private var spacing: [SampleSpacing]

    /// One window's numbers of one field.
    struct Series {
        var values: [Double] = []
        /// Of a field that is a power.
        var power: PowerIntegral?
    }

    /// Seconds behind a window's end in which the sample that closes a power is waited for. Origin: a minute is the
    /// longest usual interval.
    private static let patience = 60.0

    /// - Parameters:
    ///   - windows: in seconds, sorted by their beginnings.
    ///   - units: of the fields.
    ///   - lost: the ticks of which the record says that they are missing.
    init(
        _ windows: [ClosedRange<Double>], units: [String?], isStream: Bool = true, lost: LostTicks = LostTicks()
    ) {
        self.windows = windows
        series = windows.map { window in units.map { Series(power: PowerIntegral(window, unit: $0)) } }
        last = units.map { _ in nil }
        spacing = units.map { _ in SampleSpacing(isStream: isStream, lost: lost) }
    }

    /// - Parameter values: one a field; nil where the sample has none.
    mutating func take(_ place: SampleSpacing.Place, _ values: [Double?]) {
        let time = place.time
        while next < windows.count, windows[next].lowerBound <= time {
            for (field, sample) in last.enumerated() {
                if let sample { series[next][field].power?.add(sample.time, sample.value, isBehindGap: false) }
            }
            open.append(next)
            next += 1
        }
        for (field, value) in values.enumerated() {
            guard let value else { continue }
            let isBehindGap = spacing[field].take(place)
            for window in open {
                if windows[window].contains(time) { series[window][field].values.append(value) }
                series[window][field].power?.add(time, value, isBehindGap: isBehindGap)
            }
            last[field] = (time, value)
        }
        let isWhole = !values.contains { $0 == nil }
        open.removeAll { time >= windows[$0].upperBound + (isWhole ? 0 : Self.patience) }
    }
}
