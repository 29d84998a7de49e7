package import JSON

/// What a series of numbers comes to. `p95` and the like are interpolated between neighbours, as NumPy does by default.
package struct Aggregates: Sendable, Equatable {
    package let count: Int
    /// As it was written, with all its digits.
    package let last: JSON
    package let mean: Double
    package let min: Double
    package let max: Double
    package let median: Double
    package let p95: Double
    package let p99: Double

    /// - Parameter last: the last number as it was written; nil for the series' own.
    /// - Returns: nil for an empty series, and for one whose numbers are too far apart to be subtracted.
    package init?(_ values: [Double], last: JSON? = nil) {
        let sorted = values.sorted()
        guard let end = values.last, (sorted[sorted.count - 1] - sorted[0]).isFinite else { return nil }
        count = values.count
        self.last = last ?? .double(end)
        // Sums of large numbers must not overflow what their mean would fit into.
        let sum = values.reduce(0, +)
        mean = sum.isFinite ? sum / Double(values.count) : values.reduce(0) { $0 + $1 / Double(values.count) }
        min = sorted[0]
        max = sorted[sorted.count - 1]
        median = Self.quantile(0.5, of: sorted)
        p95 = Self.quantile(0.95, of: sorted)
        p99 = Self.quantile(0.99, of: sorted)
    }

    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return sorted[index] }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
    }

    package var json: JSON { .object(members) }

    package var members: JSONObject {
        [
            "count": JSON(count), "last": last, "mean": .double(mean), "min": .double(min), "max": .double(max),
            "median": .double(median), "p95": .double(p95), "p99": .double(p99),
        ]
    }

    package init?(json: JSON?) {
        guard let json, let count = json["count"]?.int, let last = json["last"], let mean = json["mean"]?.double,
            let min = json["min"]?.double, let max = json["max"]?.double, let median = json["median"]?.double,
            let p95 = json["p95"]?.double, let p99 = json["p99"]?.double
        else { return nil }
        self.count = Int(count)
        (self.last, self.mean, self.min, self.max) = (last, mean, min, max)
        (self.median, self.p95, self.p99) = (median, p95, p99)
    }
}
