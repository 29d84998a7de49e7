import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore
import YAML

struct RunEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened, event by event.",
        discussion: """
            A corrected note is shown with its correction, unless with --json.

            Example:
              ecr run events --type action_failed
              ecr run events --follow --since 14:05
              ecr run events latest --json
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Option(help: ArgumentHelp("Only events of this type; may be repeated.", valueName: "type")) var type: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only events from this number on, or from a time: \(Moment.accepted).", valueName: "seq|time"))
    var since: String?
    @Flag(help: "Go on as events come, until the run has ended.") var follow = false
    @Flag(help: "Print the lines as they stand in events.jsonl.") var json = false
    @OptionGroup var options: RunOptions

    func run() throws {
        let selection = try EventSelection(types: type, since: since)
        let run = try options.directory(name)
        do {
            let corrections = json ? [:] : try Corrections(run).last
            var events = try EventTail(run)
            repeat {
                while let event = try events.next() {
                    guard selection.contains(event) else { continue }
                    Terminal.result(json ? line(event) : text(event, corrections[event.seq]))
                }
            } while follow && events.wait()
            if follow && !events.isOver {
                Terminal.say("run \(run.id) is interrupted; `ecr run resume` takes it up again")
            }
        } catch { throw ECRFailure(error, in: run) }
    }

    private func line(_ event: Event) -> String { String(decoding: event.line, as: UTF8.self) }

    private func text(_ event: Event, _ correction: Event?) -> String {
        let type = Terminal.styled(SafeText.line(event.type.rawValue), .bold)
        var data = event.data
        if let correction { data["text"] = correction.data["text"] }
        let edited = correction.map { "  (edited by \($0.seq))" } ?? ""
        return "\(event.seq)  \(SafeText.line(event.time))  \(type)  \(SafeText.line(JSON.object(data).text))\(edited)"
    }
}

/// Which events are shown.
private struct EventSelection {
    private let types: [String]
    private let firstSeq: Int64
    private let firstTime: String

    /// - Parameter since: a number or a time.
    init(types: [String], since: String?) throws(ECRFailure) {
        let known = KnownNames(EventType.specification.map(\.type.rawValue))
        for type in types where !known.names.contains(type) {
            throw ECRFailure(
                .usage, "there is no event type '\(type)'; \(known.hint(for: type, label: "types") ?? "")")
        }
        self.types = types
        let seq = since.flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
        firstSeq = seq ?? 0
        if let since, seq == nil { firstTime = try Moment(since).text } else { firstTime = "" }
    }

    func contains(_ event: Event) -> Bool {
        event.seq >= firstSeq && event.time >= firstTime && (types.isEmpty || types.contains(event.type.rawValue))
    }
}

/// The last correction of each note.
private struct Corrections {
    private(set) var last: [Int64: Event] = [:]

    /// The stream is read only if the state knows of corrections; one that is damaged is shown as far as it goes.
    init(_ run: RunDirectory) throws {
        guard let state = try? run.state(), state.edits > 0 else { return }
        var reader = try EventReader(path: run.events)
        while let event = (try? reader.next()) ?? nil {
            if event.type == .edit, let note = event.data["seq"]?.int { last[note] = event }
        }
    }
}
