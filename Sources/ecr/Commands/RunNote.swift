import ArgumentParser
import ECRCore
import EventLog
import JSON

struct RunNote: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Write an observation into the record.",
        discussion: """
            Possible at any time, also after the run is over. Several words are one note; `-` reads it from stdin. Words \
            that begin with a dash stand behind `--`. Its number, by which `ecr run edit` corrects it, is printed.

            Example:
              ecr note "fan replaced, the board is at 41 degrees"
              ecr note --at 14:05 door opened
              ecr note -- -5 degrees outside
              dmesg | tail | ecr note -
            """)

    @Argument(help: "The text, or `-` for stdin.") var text: [String]
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("When it was seen, if not now: \(Moment.accepted).", valueName: "time"))
    var at: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let moment = try at.map { (text) throws(ECRFailure) in try Moment(text) }
        let run = try options.chosenForChange()
        let note = try GivenText(text, what: "note").text
        let seq = try run.record(.note, ["text": .string(note), "at": moment.map { .string($0.text) }])
        let time = moment.map { " for \(Amount.moment($0.text))" } ?? ""
        RecordReport.show(seq, "note \(seq) recorded\(time)", asJSON: output.json)
    }
}
