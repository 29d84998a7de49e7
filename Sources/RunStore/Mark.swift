import EventLog
package import JSON

/// Whether something is to be used, as an operator has said last.
package struct Mark: Sendable, Equatable {
    package enum Verdict: String, Sendable, CaseIterable { case invalid, ok }

    package let verdict: Verdict
    package let reason: String?
    /// The seq of the event.
    package let seq: Int64

    init(_ event: Event) {
        verdict = Verdict(rawValue: event.data["verdict"]?.string ?? "") ?? .invalid
        reason = event.data["reason"]?.string
        seq = event.seq
    }

    var json: JSON {
        ["verdict": .string(verdict.rawValue), "reason": reason.map { .string($0) }, "seq": .int(seq)]
    }

    init?(json: JSON?) {
        guard let verdict = Verdict(rawValue: json?["verdict"]?.string ?? ""), let seq = json?["seq"]?.int else {
            return nil
        }
        self.verdict = verdict
        self.seq = seq
        reason = json?["reason"]?.string
    }
}

/// The times that are marked invalid: a mark of a time replaces those before it as far as it reaches.
///
/// Times are as in events, whose form sorts as text. Each span reaches from `from` to before `to`.
package struct InvalidTimes: Sendable, Equatable {
    package struct Span: Sendable, Equatable {
        package let from: String
        package let to: String
        /// The mark that says so.
        package let mark: Mark
    }

    /// Without overlaps, in the order of their marks.
    package private(set) var spans: [Span] = []

    /// Marks the time from `from` to `to`.
    mutating func apply(_ mark: Mark, from: String, to: String) {
        spans = spans.flatMap { span -> [Span] in
            guard span.from < to, from < span.to else { return [span] }
            let before = span.from < from ? [Span(from: span.from, to: from, mark: span.mark)] : []
            let behind = to < span.to ? [Span(from: to, to: span.to, mark: span.mark)] : []
            return before + behind
        }
        if mark.verdict == .invalid { spans.append(Span(from: from, to: to, mark: mark)) }
    }

    /// The last span that something which began and ended at these times reaches into; an end that is nil is still to
    /// come.
    func last(from start: String, to end: String?) -> Span? {
        spans.last { $0.from < end ?? Self.farFuture && start < $0.to }
    }

    /// Sorts behind every time.
    private static let farFuture = "~"

    var json: JSON {
        .array(
            spans.map { ["from": .string($0.from), "to": .string($0.to), "mark": $0.mark.json] })
    }

    init() {}

    init(json: JSON?) {
        spans = (json?.array ?? []).compactMap { span in
            guard let from = span["from"]?.string, let to = span["to"]?.string, let mark = Mark(json: span["mark"])
            else { return nil }
            return Span(from: from, to: to, mark: mark)
        }
    }
}

/// What the marks say of a job, and why.
extension RunState {
    /// Whether a job is to be used in metrics, comparisons and reports.
    package func isValid(_ job: JobState) -> Bool { invalidity(of: job) == nil }

    /// Why a job is marked invalid; nil for one that is not.
    ///
    /// The last mark counts: one of the job itself, or one of a time that the job reaches into. A collector samples all
    /// the time, so a marked time makes some of its samples invalid, not the job.
    package func invalidity(of job: JobState) -> String? {
        if job.kind != .collector, let span = invalidTimes.last(from: job.started, to: job.ended),
            span.mark.seq > job.mark?.seq ?? -1
        {
            return span.mark.reason ?? ""
        }
        return job.mark?.verdict == .invalid ? job.mark?.reason ?? "" : nil
    }

    /// A job for those who read it: with `invalid`, the reason, where it is marked so.
    package func json(of job: JobState) -> JSON {
        var json = job.json.object ?? [:]
        json["invalid"] = invalidity(of: job).map { .string($0) }
        return .object(json)
    }

    mutating func applyMark(_ event: Event) {
        let mark = Mark(event)
        if let job = event.data["job"]?.string {
            change(job) { $0.mark = mark }
        } else if let from = event.data["from"]?.string, let to = event.data["to"]?.string {
            invalidTimes.apply(mark, from: from, to: to)
            guard mark.verdict == .ok else { return }
            // What happened wholly within is ok again, whatever was said of it before.
            for job in jobs where job.started >= from && job.ended.map({ $0 <= to }) ?? false {
                change(job.id) { $0.mark = mark }
            }
        }
    }
}
