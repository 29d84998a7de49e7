import ArgumentParser
import ECRCore
import JSON

struct TargetCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look whether a target is fit for runs, and what it lacks.",
        discussion: """
            One line a check: the connection, the shell, tools, where spools lie and whose they are, the clock, and \
            whether a job outlives its connection, for which a small one is started and ended. Nothing stays on the \
            target. Exits 0 when no check failed, 1 when one did, 69 or 77 when there was no connection.

            Example:
              ecr target check device.yaml
              ecr target check root@192.168.1.100
              ecr target check root@192.168.1.100:2222 --json
            """)

    @Argument(help: "A profile, or user@host[:port].") var target: String
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let reference = try TargetReference(target, directory: profiles.profilesDir)
        let report = FindingReport(isShown: !output.json)
        let inspection = TargetInspection(
            reference, answer: common.questioner, report: { report.add($0) }, progress: common.steps)
        let code = await inspection.run()
        Terminal.clearStatus()
        if output.json {
            report.print(["target": reference.json])
        } else {
            report.summarize(next: reference.profile == nil ? nil : "ecr run start \(target)")
        }
        if code != .success { throw Exit(code: code.rawValue) }
    }
}
