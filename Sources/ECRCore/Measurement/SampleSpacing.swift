/// Tells where samples of one field are missing between two that are there, so that nothing is assumed of that time.
struct SampleSpacing {
    /// A sample's place in its collector's record.
    struct Place {
        /// Seconds of the target's boottime clock.
        let time: Double
        /// The number of its job among the collector's, and its tick within it.
        let job: Int
        let tick: Int64
    }

    /// The last sample.
    private var last: Place?
    private var spaces: [Double] = []
    private let lost: LostTicks
    /// Seconds up to which a space needs no other proof.
    private let patience: Double

    /// Origin of 15: enough for a median that a late sample does not move.
    private static let remembered = 15
    /// Origin of 3: before that nobody can say what is usual.
    private static let needed = 3
    /// Origin of 5: samplers of one second on a loaded board are late by two.
    private static let longest = 5.0
    /// Of a stream: what a loaded board is late by.
    private static let lateness = 2.0
    /// Of an interval, whose ticks are numbered: they tell that the sampler was busy with the sample before, and a minute
    /// is the longest that it is believed to have been busy rather than stuck, or its machine asleep.
    private static let busiest = 60.0

    /// - Parameter lost: the ticks of which the record says that they are missing.
    init(isStream: Bool = true, lost: LostTicks = LostTicks()) {
        self.lost = lost
        patience = isStream ? Self.lateness : Self.busiest
    }

    /// Takes the place of the next sample.
    /// - Returns: whether samples are missing in front of it.
    mutating func take(_ place: Place) -> Bool {
        guard let last else {
            self.last = place
            return false
        }
        let space = place.time - last.time
        guard space > 0 else { return false }
        self.last = place
        // Between two jobs nobody has sampled.
        guard place.job == last.job else { return true }
        let usual = spaces.count >= Self.needed ? spaces.sorted()[spaces.count / 2] * Self.longest : .infinity
        // Kept also where it is too long: samples that come more slowly for good are no gaps for ever.
        spaces.append(space)
        if spaces.count > Self.remembered { spaces.removeFirst() }
        return space > max(usual, patience) || lost.has(inFrontOf: place.tick, behind: last.tick, of: place.job)
    }
}

/// The ticks of a collector's jobs that were taken and are lost, as `collector_gap` events tell them.
struct LostTicks {
    private var ranges: [Int: [ClosedRange<Int64>]] = [:]

    mutating func add(_ ticks: ClosedRange<Int64>, of job: Int) { ranges[job, default: []].append(ticks) }

    func has(inFrontOf next: Int64, behind last: Int64, of job: Int) -> Bool {
        ranges[job]?.contains { $0.lowerBound > last && $0.upperBound < next } ?? false
    }
}
