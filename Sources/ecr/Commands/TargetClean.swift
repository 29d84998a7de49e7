import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import RunStore

struct TargetClean: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "Remove the spools of runs that are over from a target.",
        discussion: """
            A spool of a run that goes on or is interrupted stays in any case. --force also removes those whose run is not \
            in the directory of runs, whose run has recorded only a part of it, or in which a job still runs. What \
            another controller holds is not touched without --take-over.

            Example:
              ecr target clean device.yaml --dry-run
              ecr target clean root@192.168.1.100
            """)

    @Argument(help: "A profile, or user@host[:port].") var target: String
    @Option(help: ArgumentHelp("Only the spools of this run.", valueName: "run")) var run: String?
    @Flag(help: "Show what would be removed, and change nothing.") var dryRun = false
    @Flag(help: "Also remove what no run here knows or has recorded, and end jobs that still run.") var force = false
    @Flag(help: "Take over from another controller that has left its lock behind.") var takeOver = false
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let reference = try TargetReference(target, directory: profiles.profilesDir)
        let only = try run.map { name in try RunFinder(common.runs).find(name) }
        common.steps("connecting to \(reference.address)")
        let cleaning = try await SpoolCleaning.begin(
            on: reference, in: common.runs, .init(run: only, isForced: force, takesOver: takeOver),
            answer: common.questioner)
        do {
            try await clean(with: cleaning, reference)
            await cleaning.end()
        } catch {
            await cleaning.end()
            throw error
        }
    }

    private func clean(with cleaning: SpoolCleaning, _ reference: TargetReference) async throws {
        let plan = try await cleaning.plan()
        Terminal.clearStatus()
        let changes = plan.contains { $0.isTakenOver || $0.spools.contains(where: \.isDoomed) }
        if changes && !dryRun { try confirm(plan) }
        let report = CleaningReport(roots: dryRun ? plan : try await cleaning.carryOut(plan), isDryRun: dryRun)
        if output.json { Terminal.result(report.json(reference)) } else { report.show() }
        if plan.contains(where: { $0.isForeign && $0.spools.isEmpty }) {
            throw Exit(code: ECRCore.ExitCode.busy.rawValue)
        }
    }

    private func confirm(_ plan: [SpoolCleaning.Root]) throws {
        guard !yes else { return }
        let report = CleaningReport(roots: plan, isDryRun: true)
        Terminal.say(report.table)
        try common.confirm(report.question, unless: "--yes, or --dry-run to look only")
    }
}
