import ArgumentParser
import Datasets
import ECRCore
import EventLog
import JSON
import LinuxSystem
import RunStore

struct RunExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a run as a dataset: one ZIP with everything in it.",
        discussion: """
            Any unzip opens it, and `sha256sum -c SHA256SUMS` checks it. A run that still goes on can be exported, too. \
            Secrets of the profile whose variables are set here are looked for in it, and a warning says where they are. What \
            the run lacks, such as files that are still on the target, is warned of, too; it keeps nothing from being exported.

            Example:
              ecr run export -o dataset.zip
            """)

    @Argument(help: ArgumentHelp("The run (default: --run, $ECR_RUN, else the current run).", valueName: "run"))
    var name: String?
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The ZIP to write (default: <run id>.zip in the working directory).", valueName: "file"))
    var output: String?
    @Flag(help: "Replace the file if it exists.") var force = false
    @OptionGroup var format: JSONOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let run = try options.chosen(name)
        let file = FileSystem.expandingTilde(output ?? "\(run.id).zip")
        if FileSystem.exists(file) && !force {
            throw ECRFailure(
                .usage, "\(file) exists already", hint: "another name with -o FILE, or --force to replace it")
        }
        var scan = SecretScan(run.directory)
        let summary = try DatasetExport.export(
            run.directory, to: file, inspect: { scan?.look(at: $0, $1) },
            progress: { Terminal.showStatus("exporting \(Int($0 * 100)) %") })
        Terminal.clearStatus()
        for finding in scan?.findings ?? [] { Terminal.warn("the dataset holds a secret: the value of \(finding)") }
        let isRecorded = record(summary, in: run)
        let missing = MissingReport(run.state, run.directory)
        show(summary, isRecorded: isRecorded, missing)
        missing.warn(isHere: true)
    }

    /// The dataset is there, whatever becomes of the event that says so.
    private func record(_ summary: DatasetExport.Summary, in run: ChosenRun) -> Bool {
        guard !run.directory.hasSupervisor() else { return false }
        do {
            try OfflineRun(run.directory).record(
                .exported,
                [
                    "file": .string(summary.file), "sha256": .string(summary.sha256), "bytes": .int(summary.bytes),
                    "events": .int(summary.events),
                ])
            return true
        } catch {
            Terminal.warn("the export could not be recorded in the run: \(error.message)")
            return false
        }
    }

    private func show(_ summary: DatasetExport.Summary, isRecorded: Bool, _ missing: MissingReport) {
        if format.json {
            var result: JSONObject = [
                "file": .string(summary.file), "sha256": .string(summary.sha256), "bytes": .int(summary.bytes),
                "events": .int(summary.events), "files": JSON(summary.files), "recorded": .bool(isRecorded),
            ]
            result.merge(missing.json)
            Terminal.result(.object(result))
            return
        }
        Terminal.result(SafeText.line(summary.file))
        let note = isRecorded ? "" : "; not recorded in the run, which still goes on or cannot be written"
        Terminal.say(
            "\(Amount.count(summary.events, "event")), \(summary.files) files, \(Amount.bytes(summary.bytes)), sha256 "
                + summary.sha256 + note)
    }
}
