package import JSON

/// Of each collector the last sample, for people who look at a run that goes on.
package struct LatestSamples: Sendable, Equatable {
    package struct Sample: Sendable, Equatable {
        /// By the controller's clock.
        package let time: String?
        /// By the names of the fields; empty for a collector without any.
        package let values: JSONObject
        /// The beginning of a sample without fields.
        package let text: String?
    }

    private var samples = JSONObject()

    /// The values of a row of `collector_output`; of a sample of several lines those of its last one.
    package static func values(of row: JSON) -> JSONObject? {
        row["values"]?.object ?? row["values"]?.array?.last?.object
    }

    package init() {}

    package func of(_ collector: String) -> Sample? {
        guard let json = samples[collector] else { return nil }
        return Sample(
            time: json["time"]?.string, values: json["values"]?.object ?? [:], text: json["text"]?.string)
    }

    /// Origin: what fits on a line of a screen.
    private static let longestText = 60

    mutating func apply(_ output: JSONObject) {
        guard let collector = output["collector"]?.string, let row = output["rows"]?.array?.last else { return }
        let values = Self.values(of: row)
        let line = row["text"]?.string?.split(separator: "\n").first.map { String($0.prefix(Self.longestText)) }
        samples[collector] = [
            "time": row["time"], "values": values.map { .object($0) },
            "text": values == nil ? line.map { .string($0) } : nil,
        ]
    }

    package var json: JSON { .object(samples) }

    init(json: JSON?) { samples = json?.object ?? [:] }
}
