import ArgumentParser
import ECRCore
import JSON

struct RunCollector: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collector", abstract: "Start, stop and list background collectors.",
        discussion: """
            Example:
              ecr run collector list
              ecr run collector stop load
            """, subcommands: [RunCollectorStart.self, RunCollectorStop.self, RunCollectorList.self])
}

struct RunCollectorStart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a collector of the profile.",
        discussion: """
            Example:
              ecr run collector start load
            """)

    @Argument(help: ArgumentHelp("The collector's name.", valueName: "collector")) var name: String
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        try CollectorChange(request: "collector_start", name: name, deed: "started").perform(options, output)
    }
}

struct RunCollectorStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a collector; what it has sampled is kept.",
        discussion: """
            Example:
              ecr run collector stop load
            """)

    @Argument(help: ArgumentHelp("The collector's name.", valueName: "collector")) var name: String
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        try CollectorChange(request: "collector_stop", name: name, deed: "stopped").perform(options, output)
    }
}

struct RunCollectorList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the profile's collectors and how many samples each has taken.",
        discussion: """
            Example:
              ecr run collector list --json
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen()
        let list = run.isLive ? try run.request(["request": "collector_list"]) : CollectorList(run).json
        if output.json {
            Terminal.result(list)
            return
        }
        var table = Table(["COLLECTOR", "STATE", "SAMPLES", "LAST"])
        for entry in list["collectors"]?.array ?? [] {
            table.add([
                entry["name"]?.string ?? "", entry["state"]?.string ?? "", String(entry["samples"]?.int ?? 0),
                entry["last"]?.string ?? "",
            ])
        }
        Terminal.result(table.text())
    }
}

private struct CollectorChange {
    let request: String
    let name: String
    let deed: String

    func perform(_ options: RunOptions, _ output: JSONOption) throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "change its collectors")
        let result = try run.requestPatiently(["request": .string(request), "name": .string(name)], name)
        if output.json { Terminal.result(result) }
        Terminal.say("collector \(name) \(deed) (job \(result["job"]?.string ?? "?"))")
    }
}
