import ArgumentParser
import ECRCore
import EventLog
import JSON
import RunStore

struct RunTag: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Add, remove and list a run's tags.",
        discussion: """
            Example:
              ecr run tag add lab cold-start
              ecr run tag list
            """, subcommands: [RunTagAdd.self, RunTagRemove.self, RunTagList.self])
}

struct RunTagAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add tags to a run, at any time.",
        discussion: """
            Example:
              ecr run tag add lab cold-start
            """)

    @Argument(help: "The tags: letters, digits, `_`, `.` and `-`.") var tag: [String]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        try TagName.check(tag)
        let run = try options.chosenForChange()
        let change = TagChange(tag, run, isNews: { !run.state.tags.contains($0) })
        try change.perform(.tagAdded, done: "tagged", already: "tagged already", output)
    }
}

struct RunTagRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove tags from a run; that they were there stays on record.",
        discussion: """
            Example:
              ecr run tag remove cold-start
            """)

    @Argument(help: "The tags.") var tag: [String]
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        let change = TagChange(tag, run, isNews: { run.state.tags.contains($0) })
        try change.perform(.tagRemoved, done: "removed", already: "not there", output)
    }
}

struct RunTagList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show a run's tags, one a line.",
        discussion: """
            Example:
              ecr run tag list latest~1
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let tags = try options.chosen(name).state.tags
        if output.json {
            Terminal.result(["tags": JSON(strings: tags)])
        } else if !tags.isEmpty {
            Terminal.result(tags.map(SafeText.line).joined(separator: "\n"))
        }
    }
}

/// Tags to be added or removed, without those for which there is nothing to do.
private struct TagChange {
    private let run: ChosenRun
    private let news: [String]
    private let others: [String]

    init(_ tags: [String], _ run: ChosenRun, isNews: (String) -> Bool) {
        self.run = run
        var seen: Set<String> = []
        let distinct = tags.filter { seen.insert($0).inserted }
        news = distinct.filter(isNews)
        others = distinct.filter { !isNews($0) }
    }

    func perform(_ type: EventType, done: String, already: String, _ output: JSONOption) throws {
        for tag in news { _ = try run.record(type, ["tag": .string(tag)]) }
        if output.json {
            Terminal.result(["changed": JSON(strings: news), "tags": JSON(strings: try run.directory.state().tags)])
        }
        if !news.isEmpty { Terminal.say("\(done): \(news.joined(separator: ", "))") }
        if !others.isEmpty { Terminal.say("\(already): \(others.joined(separator: ", "))") }
    }
}
