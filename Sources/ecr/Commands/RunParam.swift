import ArgumentParser
import ECRCore
import EventLog
import JSON
import Profiles
import RunStore

struct RunParam: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "param", abstract: "Set and list the parameters of a run.",
        discussion: """
            Example:
              ecr run param set size=64
              ecr run param list
            """,
        subcommands: [
            RunParamSet.self,
            RunParamList.self,
        ])
}

struct RunParamSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set parameters for the actions that begin from now on.",
        discussion: """
            `-p` of an action goes before. Running actions and collectors keep their values.

            Example:
              ecr run param set size=64 model=resnet50
            """)

    @Argument(help: ArgumentHelp("The parameters and their values.", valueName: "name=value")) var values:
        [ParameterArgument]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["created", "running", "paused", "interrupted"], to: "set a parameter")
        let pairs = values.map { ($0.name, $0.value) }
        let all = run.isLive ? try ask(run, pairs) : try record(run, pairs)
        if output.json { Terminal.result(["parameters": .object(all)]) }
        for (name, value) in pairs { Terminal.say("\(name)=\(value) from the next action on") }
    }

    private func ask(_ run: ChosenRun, _ pairs: [(String, String)]) throws -> JSONObject {
        let list = JSON.array(pairs.map { JSON(strings: [$0.0, $0.1]) })
        return try run.request(["request": "parameters", "parameters": list])["parameters"]?.object ?? [:]
    }

    private func record(_ run: ChosenRun, _ pairs: [(String, String)]) throws -> JSONObject {
        let profile = try ProfileFile(snapshotOf: run.directory).profile
        try ECRFailure.catching { try profile.checkStanding(pairs) }
        let offline = try OfflineRun(run.directory)
        for (name, value) in pairs {
            try offline.record(.parameterSet, try run.directory.state().change(of: name, to: value))
        }
        return try run.directory.state().parameters
    }
}

struct RunParamList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the parameters of a run's profile with the values that count now.",
        discussion: """
            Example:
              ecr run param list --json
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen()
        let parameters = try ProfileFile(snapshotOf: run.directory).profile.allParameters
        let values = run.state.parameters
        if output.json {
            Terminal.result([
                "parameters": .array(
                    parameters.map { ["name": .string($0.name), "value": values[$0.name], "declaration": $0.resolved] })
            ])
            return
        }
        guard !parameters.isEmpty else { return Terminal.say("the profile of run \(run.id) has no parameters") }
        var table = Table(["PARAMETER", "VALUE", "FROM", "TYPE", "DESCRIPTION"])
        for parameter in parameters {
            let value = values[parameter.name]?.string
            let from = value != nil ? "set" : parameter.defaultValue != nil ? "default" : "missing"
            let choices = parameter.choices.map { "one of \($0.joined(separator: ", "))" }
            table.add([
                parameter.name, value ?? parameter.defaultValue ?? "", from, choices ?? parameter.type.rawValue,
                parameter.description ?? "",
            ])
        }
        Terminal.result(table.text())
    }
}
