package import JSON
package import RunStore

/// For every collector of a run the samples that were due and those that came.
///
/// Expected are the ticks that the sampler has numbered, without those that it skipped because the sample before still
/// ran (of a stream: the lines in its spool), and the ticks of a time in which no sampler ran, as far as the interval
/// tells how many.
package struct SampleLedger: Sendable {
    private(set) var collectors: [Entry] = []
    /// One line for every hole.
    private(set) var missing: [String] = []
    /// What is said, and is no hole.
    private(set) var remarks: [String] = []

    /// One collector, over all its jobs.
    struct Entry {
        let name: String
        fileprivate(set) var received: Int64 = 0
        fileprivate(set) var overruns: Int64 = 0
        fileprivate(set) var gaps: Int64 = 0
        /// Samples of which the collector's format could take nothing.
        fileprivate(set) var unparsed: Int64 = 0
        /// Numbered ticks that neither came nor were skipped.
        fileprivate var lost: Int64 = 0
        /// Those that no sampler was there to number.
        fileprivate var untaken: Int64 = 0

        var expected: Int64 { received + lost + untaken }

        var json: JSON {
            [
                "collector": .string(name), "expected": .int(expected), "received": .int(received),
                "overruns": .int(overruns), "gaps": .int(gaps), "unparsed": unparsed > 0 ? .int(unparsed) : nil,
            ]
        }
    }

    package init(_ state: RunState) {
        for job in state.jobs where job.kind == .collector { add(job) }
        for gap in state.gaps { add(gap: gap) }
        for collector in collectors where collector.overruns > 0 {
            remarks.append("\(collector.name): \(collector.overruns) ticks skipped, the sample before still ran")
        }
        for collector in collectors {
            let problems = state.collectors.problems(of: collector.name).joined(separator: "; ")
            if collector.unparsed > 0 {
                let count = "\(collector.unparsed) of \(collector.received) samples did not parse"
                remarks.append("\(collector.name): \(count)\(problems.isEmpty ? "" : ": ")\(problems)")
            } else if !problems.isEmpty {
                remarks.append("\(collector.name): \(problems)")
            }
        }
    }

    package var json: JSON { .array(collectors.map(\.json)) }

    var received: Int64 { collectors.reduce(0) { $0 + $1.received } }
    var expected: Int64 { collectors.reduce(0) { $0 + $1.expected } }
    var overruns: Int64 { collectors.reduce(0) { $0 + $1.overruns } }

    private mutating func add(_ job: JobState) {
        let (index, sampling) = (index(of: job.name), job.sampling)
        collectors[index].received += job.samples
        collectors[index].overruns += sampling.overruns
        collectors[index].unparsed += job.unparsed
        let lost = max(0, sampling.nextTick - sampling.overruns - job.samples)
        collectors[index].lost += lost
        // Every loss is on record as a gap; this finds the one that is not.
        if lost > sampling.lost { missing.append("\(job.id): \(lost - sampling.lost) samples are missing") }
    }

    private mutating func add(gap: JSON) {
        let name = gap["collector"]?.string ?? "?"
        let (index, samples) = (index(of: name), gap["samples"]?.int)
        collectors[index].gaps += 1
        if gap["first_tick"] == nil { collectors[index].untaken += samples ?? 0 }
        let count = samples.map { "\($0) \($0 == 1 ? "sample" : "samples")" } ?? "samples"
        missing.append(
            "\(name): \(count) from \(Self.moment(gap["from"])) to \(Self.moment(gap["to"])): "
                + (gap["reason"]?.string ?? "?"))
    }

    private mutating func index(of collector: String) -> Int {
        if let index = collectors.firstIndex(where: { $0.name == collector }) { return index }
        collectors.append(Entry(name: collector))
        return collectors.count - 1
    }

    /// `2026-01-27 14:30:52` of an event's time.
    static func moment(_ time: JSON?) -> String {
        (time?.string ?? "?").prefix(19).split(separator: "T").joined(separator: " ")
    }
}
