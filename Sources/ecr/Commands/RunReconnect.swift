import ArgumentParser
import ECRCore
import JSON
import RunStore

struct RunReconnect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconnect", abstract: "Connect to the target now, or at another address.",
        discussion: """
            A lost link is tried again by itself; this does not wait for the next attempt, and answers what the target \
            asks. Another address must show the same host key, and holds for the rest of the run.

            Example:
              ecr run reconnect
              ecr run reconnect --host 192.168.1.44
            """)

    @Option(help: ArgumentHelp("Another address of the same target.", valueName: "host[:port]")) var host: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func validate() throws {
        if let host, MovedHost(host) == nil {
            throw ValidationError("'\(host)' is no address; write HOST or HOST:PORT")
        }
    }

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "reconnect it")
        let interrupt = try InterruptSignal()
        let result = try run.request(
            ["request": "reconnect", "host": host.map { .string($0) }], interrupt: interrupt)
        if output.json { Terminal.result(result) }
        let address = StartReport.address(result["target"] ?? .null)
        let wasThere = result["was_connected"]?.bool == true
        Terminal.say(wasThere ? "the link to \(address) stands already" : "connected to \(address)")
    }
}
