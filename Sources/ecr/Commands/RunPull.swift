import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import RunStore

struct RunPull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch files from the target into the run, recorded with their hashes.",
        discussion: """
            Names are as in `artifacts:` of a profile: files, directories, and patterns with *, ?, […] and **, in quotes, \
            so that this machine's shell leaves them; relative ones begin in the login folder. What comes is in a \
            new folder below artifacts/pulled/ of the run, and its names are printed. Also possible while the run is \
            paused. Exits 0 only if everything has come; of an empty directory that is nothing.

            Example:
              ecr run pull /var/log/messages
              ecr run pull '/tmp/logs/*.csv' /etc/os-release
            """)

    @Argument(help: ArgumentHelp("Files, directories or patterns on the target.", valueName: "remote"))
    var names: [String]
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosenForChange()
        try run.require(["running", "paused"], to: "fetch files")
        if let place = TypedWords.raw(names).enumerated().first(where: { $1 != RawPath(names[$0]) })?.offset {
            throw ECRFailure(
                .usage, "'\(names[place])' is not UTF-8",
                hint: "write ? for each byte that is none: ecr run pull 'latin?.log'")
        }
        let result = try HandTransfer(run: run, isJSON: output.json).perform(
            .object([
                "request": "pull", "remotes": JSON(strings: names),
                "method": transfer.method.map { .string($0.rawValue) },
            ]))
        let pulled = (result["pulled"]?.array ?? []).compactMap(\.string)
        if !output.json { for path in pulled { Terminal.result(SafeText.line("\(run.directory.path)/\(path)")) } }
        for folder in result["empty"]?.array ?? [] {
            Terminal.say("\(SafeText.line(folder["remote"]?.string ?? "?")): \(folder["reason"]?.string ?? "?")")
        }
        for warning in result["warnings"]?.array ?? [] { Terminal.warn(warning.string ?? "") }
        Terminal.say("\(Amount.count(Int64(pulled.count), "file")) fetched")
        if result["cancelled"]?.bool == true { Terminal.say("stopped; typed again, it brings the rest") }
        try HandTransfer.end(result, of: "remote")
    }
}
