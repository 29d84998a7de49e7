import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunEdit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Correct a note; what it said before stays on record.",
        discussion: """
            The note is named by the number that `ecr note` has printed, or by `last`. `ecr run show` and `ecr run events` \
            then show the corrected text.

            Example:
              ecr run edit last "fan replaced, the board is at 51 degrees"
              ecr run edit 42 "door closed"
            """)

    @Argument(help: "The note's number, or `last`.") var note: String
    @Argument(help: "The text, or `-` for stdin.") var text: [String]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        let note = try find(in: run)
        let text = try GivenText(text, what: "correction").text
        let seq = try run.record(.edit, ["seq": .int(note), "text": .string(text)])
        RecordReport.show(
            seq, "correction \(seq) of note \(note) recorded", asJSON: output.json, details: ["note": .int(note)])
    }

    private func find(in run: ChosenRun) throws(ECRFailure) -> Int64 {
        guard note != "last" else {
            if let last = run.state.recentNotes.last { return last.seq }
            throw ECRFailure(.usage, "run \(run.id) has no note yet", hint: "ecr note TEXT\(run.reference)")
        }
        guard let seq = Int64(note), seq >= 0 else {
            throw ECRFailure(.usage, "'\(note)' is neither a note's number nor `last`\(known(run))")
        }
        if run.state.recentNotes.contains(where: { $0.seq == seq }) { return seq }
        switch try ECRFailure.catching({ try type(of: seq, in: run) }) {
        case .note: return seq
        case let type?:
            throw ECRFailure(.usage, "event \(seq) of run \(run.id) is no note, but \(type.rawValue)\(known(run))")
        case nil: throw ECRFailure(.usage, "run \(run.id) has no event \(seq)\(known(run))")
        }
    }

    private func type(of seq: Int64, in run: ChosenRun) throws -> EventType? {
        var reader = try EventReader(path: run.directory.events)
        while let event = try reader.next() { if event.seq == seq { return event.type } }
        return nil
    }

    /// Origin of 5: enough to find the one that was meant.
    private func known(_ run: ChosenRun) -> String {
        let notes = run.state.recentNotes.suffix(5)
        if notes.isEmpty { return "; it has no note yet" }
        let lines = notes.map { "  \($0.seq)  \($0.text.split(separator: "\n").first ?? "")" }
        return "; the last notes are\n\(lines.joined(separator: "\n"))"
    }
}
