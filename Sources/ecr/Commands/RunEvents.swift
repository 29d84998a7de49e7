import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened, event by event.",
        discussion: """
            Example:
              ecr run events --type action_failed
              ecr run events latest --json
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Option(help: ArgumentHelp("Only events of this type; may be repeated.", valueName: "type")) var type: [String] = []
    @Flag(help: "Print the lines as they stand in events.jsonl.") var json = false
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.directory(name)
        do {
            var reader = try EventReader(path: run.events)
            while let event = try reader.next() {
                guard type.isEmpty || type.contains(event.type.rawValue) else { continue }
                Terminal.result(json ? line(event) : text(event))
            }
        } catch { throw ECRFailure(error) }
    }

    private func line(_ event: Event) -> String { String(decoding: event.line, as: UTF8.self) }

    private func text(_ event: Event) -> String {
        let type = Terminal.styled(SafeText.line(event.type.rawValue), .bold)
        return "\(event.seq)  \(SafeText.line(event.time))  \(type)  \(SafeText.line(JSON.object(event.data).text))"
    }
}
