import ArgumentParser
import ECRCore
import EventLog
import JSON
import LinuxSystem
import RunStore

struct RunMark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark", abstract: "Say that a job, or a span of time, is not to be used, or is after all.",
        discussion: """
            Nothing is removed: `show`, `status` and `list` say what is marked invalid. The last \
            mark counts. A job that reaches into a marked span is invalid, too.

            Example:
              ecr run mark last invalid "somebody touched the board"
              ecr run mark 0003-measure ok
              ecr run mark --from 14:02 --to 14:10 invalid "power supply in current limit"
            """)

    @Argument(
        help: ArgumentHelp(
            "The job's id, an action's name for its last job, or `last`; then `invalid` or `ok`; then the reason.",
            valueName: "job|action verdict reason"))
    var words: [String]
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Where a span begins: \(Moment.accepted).", valueName: "time"))
    var from: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("Where it ends.", valueName: "time")) var to: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if (from == nil) != (to == nil) { throw ValidationError("a span needs both --from and --to (`--to now`)") }
        if from == nil && words.count < 2 {
            throw ValidationError("give a job and a verdict: `ecr run mark last invalid \"why\"`")
        }
    }

    func run() throws {
        let span = try span()
        let (verdict, reason) = try judgement(words.dropFirst(span == nil ? 1 : 0))
        let run = try options.chosenForChange()
        var data =
            try span.map { (span) throws(ECRFailure) in try spanData(span, in: run) } ?? [
                "job": .string(try run.job(words[0]).id)
            ]
        data["verdict"] = .string(verdict.rawValue)
        data["reason"] = reason.map { .string($0) }
        let seq = try run.record(.mark, data)
        RecordReport.show(seq, "\(name(of: data)) marked \(verdict.rawValue)", asJSON: output.json, details: data)
    }

    private func span() throws(ECRFailure) -> (from: Moment, to: Moment)? {
        guard let from, let to else { return nil }
        let now = Clock.wallMicroseconds()
        let (start, end) = (try Moment(from, now: now), try Moment(to, now: now))
        guard start.microseconds < end.microseconds else {
            throw ECRFailure(
                .usage,
                "the span would end (\(Amount.moment(end.text))) before it begins (\(Amount.moment(start.text)))")
        }
        return (start, end)
    }

    private func judgement(_ words: ArraySlice<String>) throws(ECRFailure) -> (Mark.Verdict, reason: String?) {
        guard let verdict = Mark.Verdict(rawValue: words.first ?? "") else {
            throw ECRFailure(.usage, "a verdict is `invalid` or `ok`, not '\(words.first ?? "")'")
        }
        let reason = words.dropFirst().joined(separator: " ")
        guard verdict == .ok || !reason.allSatisfy(\.isWhitespace) else {
            throw ECRFailure(.usage, "say why it is invalid", hint: "ecr run mark … invalid \"why\"")
        }
        return (verdict, reason.isEmpty ? nil : reason)
    }

    /// A span beside the run would mark nothing.
    private func spanData(_ span: (from: Moment, to: Moment), in run: ChosenRun) throws(ECRFailure) -> JSONObject {
        let state = run.state
        guard span.to.text > state.created, state.ended.map({ span.from.text < $0 }) ?? true else {
            let end = state.ended.map { " and ended at \(Amount.moment($0))" } ?? ""
            throw ECRFailure(
                .usage,
                "\(Amount.moment(span.from.text)) to \(Amount.moment(span.to.text)) lies outside of run \(run.id), which "
                    + "was created at \(Amount.moment(state.created))\(end)")
        }
        return ["from": .string(span.from.text), "to": .string(span.to.text)]
    }

    private func name(of data: JSONObject) -> String {
        if let job = data["job"]?.string { return "job \(job) is" }
        let (from, to) = (data["from"]?.string ?? "", data["to"]?.string ?? "")
        return "the time from \(Amount.moment(from)) to \(Amount.moment(to)) is"
    }
}
