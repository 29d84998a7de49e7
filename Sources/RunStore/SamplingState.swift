import EventLog
package import JSON

/// What the events say of the samples of one job of a collector.
///
/// Ticks are numbered on the target, from 0: every one of them comes as a sample, is said to be skipped, or is in a gap.
package struct SamplingState: Sendable, Equatable {
    /// Seconds between two ticks, as the target can do them; nil for a stream.
    package private(set) var interval: Double?
    /// Behind the last tick that is accounted for.
    package private(set) var nextTick: Int64 = 0
    /// The last sample: its tick, the seconds of the target's boottime clock and the controller's time of its taking.
    package private(set) var lastTick: Int64?
    package private(set) var lastUptime: Double?
    package private(set) var lastTime: String?
    /// Ticks that the sampler skipped because the one before still ran.
    package private(set) var overruns: Int64 = 0
    /// The most that it skipped at once: how long its slowest sample took.
    package private(set) var longestSkip: Int64 = 0
    /// Numbered ticks that are lost.
    package private(set) var lost: Int64 = 0
    /// The sample that was being taken when the sampler was stopped, and the uptime of its beginning.
    package private(set) var unfinishedTick: Int64?
    package private(set) var unfinishedSince: Double?
    /// What was missed behind the job's last sample is on record.
    package private(set) var isTailRecorded = false

    package init(interval: Double? = nil) { self.interval = interval }

    package mutating func apply(output data: JSONObject) {
        let rows = data["rows"]?.array ?? []
        if let last = rows.last, let tick = last["tick"]?.int {
            lastTick = tick
            lastUptime = last["boottime_s"]?.double
            lastTime = last["time"]?.string
            nextTick = max(nextTick, tick &+ 1)
        }
        for range in data["skipped"]?.array ?? [] {
            guard let first = range.array?.first?.int, let last = range.array?.last?.int, first <= last else {
                continue
            }
            overruns &+= last &- first &+ 1
            longestSkip = max(longestSkip, last &- first &+ 1)
            nextTick = max(nextTick, last &+ 1)
        }
        unfinishedTick = data["unfinished_tick"]?.int
        unfinishedSince = data["unfinished_since"]?.double
    }

    mutating func apply(gap data: JSONObject) {
        guard let last = data["last_tick"]?.int else {
            isTailRecorded = true
            return
        }
        lost &+= data["samples"]?.int ?? 0
        nextTick = max(nextTick, last &+ 1)
    }

    package var json: JSON {
        [
            "interval_s": interval.map { .double($0) }, "next_tick": .int(nextTick),
            "last_tick": lastTick.map { .int($0) },
            "last_boottime_s": lastUptime.map { .double($0) }, "last_time": lastTime.map { .string($0) },
            "overruns": .int(overruns), "longest_skip": .int(longestSkip), "lost": .int(lost),
            "unfinished_tick": unfinishedTick.map { .int($0) },
            "unfinished_since": unfinishedSince.map { .double($0) },
            "tail_recorded": .bool(isTailRecorded),
        ]
    }

    init(json: JSON?) {
        interval = json?["interval_s"]?.double
        nextTick = json?["next_tick"]?.int ?? 0
        lastTick = json?["last_tick"]?.int
        lastUptime = json?["last_boottime_s"]?.double
        lastTime = json?["last_time"]?.string
        overruns = json?["overruns"]?.int ?? 0
        longestSkip = json?["longest_skip"]?.int ?? 0
        lost = json?["lost"]?.int ?? 0
        unfinishedTick = json?["unfinished_tick"]?.int
        unfinishedSince = json?["unfinished_since"]?.double
        isTailRecorded = json?["tail_recorded"]?.bool ?? false
    }
}
