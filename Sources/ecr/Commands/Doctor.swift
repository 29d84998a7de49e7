import ArgumentParser
import Datasets
import ECRCore
import JSON
import RunStore

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look whether this machine is fit for runs, and what it lacks.",
        discussion: """
            Libraries and their security fixes, the runs directory and its file system, keys and agent, the clock, and \
            what has been left behind. Exits 0 when no check failed, else 1.

            Example:
              ecr doctor
              ecr doctor --runs-dir /data/runs
            """)

    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = FindingReport(isShown: !output.json)
        // What is wrong with the settings is a finding, too.
        let runs = (try? common.runs) ?? RunsDirectory(path: "runs")
        MachineInspection(runs, archiveLibrary: DatasetLibrary.version).run { report.add($0) }
        if output.json { report.print([:]) } else { report.summarize(next: nil) }
        if !report.isSound { throw Exit(code: ECRCore.ExitCode.experimentSaidNo.rawValue) }
    }
}
