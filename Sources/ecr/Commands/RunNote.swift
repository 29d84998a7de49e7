import ArgumentParser
import ECRCore
import EventLog
import JSON
import LinuxSystem
import RunStore

struct RunNote: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Write an observation into the record.",
        discussion: """
            Possible at any time, also after the run is over. Several words are one note; `-` reads it from stdin. Words \
            that begin with a dash stand behind `--`. Its number, by which `ecr run edit` corrects it, is printed. A file \
            that is attached is copied into the run, under its name behind that number; it is refused where it would leave \
            less room on the disk than the profile's `transfers: {min_free_disk: …}` asks for.

            Example:
              ecr note "fan replaced, the board is at 41 degrees"
              ecr note --at 14:05 door opened
              ecr note "the setup" --attach photo.jpg --attach wiring.pdf
              ecr note -- -5 degrees outside
              dmesg | tail | ecr note -
            """)

    @Argument(help: "The text, or `-` for stdin.") var text: [String]
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("When it was seen, if not now: \(Moment.accepted).", valueName: "time"))
    var at: String?
    @Option(help: ArgumentHelp("A file to keep with the note; may be repeated.", valueName: "file"))
    var attach: [String] = []
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let moment = try at.map { (text) throws(ECRFailure) in try Moment(text) }
        let run = try options.chosenForChange()
        let note = try GivenText(text, what: "note").text
        // Once it is asked for, the note is recorded or refused: that is a moment, and nobody is left to guess.
        let interrupt = attach.isEmpty ? nil : try InterruptSignal()
        let attachments = try copies(into: run.directory, interrupt)
        let seq: Int64
        do {
            seq = try run.record(
                .note, ["text": .string(note), "at": moment.map { .string($0.text) }], attachments)
        } catch {
            attachments.forEach { $0.remove(from: run.directory) }
            throw error
        }
        for attachment in attachments where attachment.isChanged {
            Terminal.warn("\(attachment.name) was written to while it was copied; it is kept as it was read")
        }
        let time = moment.map { " for \(Amount.moment($0.text))" } ?? ""
        let files = attachments.isEmpty ? "" : " with \(Amount.count(Int64(attachments.count), "file"))"
        RecordReport.show(seq, "note \(seq) recorded\(time)\(files)", asJSON: output.json)
    }

    /// Files of gigabytes take their time.
    private func copies(into run: RunDirectory, _ interrupt: InterruptSignal?) throws -> [Attachment] {
        let display = Locked(TransferDisplay("copying"))
        defer { Terminal.clearStatus() }
        do {
            return try Attachment.copies(of: attach, into: run, interrupt: interrupt) { news in
                let text = display.withLock { display in
                    display.take(news)
                    return display.text()
                }
                if let text { Terminal.showStatus(text) }
            }
        } catch let interrupted as ControlClient.Interrupted {
            Terminal.say("stopped; nothing is recorded")
            throw interrupted
        }
    }
}
