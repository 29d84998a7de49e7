import ArgumentParser
import ECRCore
import EventLog
import JSON

struct RunNote: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Write an observation into the record.",
        discussion: """
            Possible at any time, also after the run is over. Several words are one note.

            Example:
              ecr note "fan replaced, the board is at 41 degrees"
            """)

    @Argument(help: "The text.") var text: [String]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if text.allSatisfy({ $0.allSatisfy(\.isWhitespace) }) { throw ValidationError("the note is empty") }
    }

    func run() throws {
        let run = try options.chosenForChange()
        let seq = try run.record(.note, ["text": .string(text.joined(separator: " "))])
        if output.json { Terminal.result(["seq": .int(seq)]) }
        Terminal.say("note \(seq) recorded")
    }
}
