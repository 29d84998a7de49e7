import ArgumentParser
import ECRCore
import Glibc

/// The command line of ECR.
struct ECR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ecr",
        abstract: "Run experiments on embedded Linux devices over SSH, and record everything that happens.",
        discussion: """
            A profile (a YAML file) names the target and what to run on it. A run is one execution; all that happens in \
            it is kept in a directory below ./runs and can be exported as a dataset.

            Example:
              ecr run start device.yaml
              ecr run action measure
              ecr run complete
              ecr run export -o dataset.zip

            `ecr help exit-codes` lists the exit codes.
            """,
        version: ECRVersion.current,
        subcommands: [
            ProfileCommand.self,
            RunCommand.self,
            RunNote.self,
            RunAction.self,
            RunStatus.self,
            Verify.self,
            HelpCommand.self,
            Supervise.self,
        ])
}

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Work with profiles.",
        discussion: """
            Example:
              ecr profile validate device.yaml
            """,
        subcommands: [
            ProfileValidate.self
        ])
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make, drive, look at and export runs.",
        discussion: """
            Commands act on the current run: the one that `create`, `start` or `use` chose last. --run or $ECR_RUN names \
            another, by its id, a unique prefix of it, its short id, `latest` or `latest~1`.

            Example:
              ecr run start device.yaml --name cold-start
              ecr run status
            """,
        subcommands: [
            RunCreate.self,
            RunStart.self,
            RunAction.self,
            RunStage.self,
            RunExec.self,
            RunCancel.self,
            RunPause.self,
            RunCollector.self,
            RunFollow.self,
            RunLog.self,
            RunNote.self,
            RunEdit.self,
            RunMark.self,
            RunTag.self,
            RunComplete.self,
            RunDrain.self,
            RunAbort.self,
            RunResume.self,
            RunReconnect.self,
            RunParam.self,
            RunStatus.self,
            RunList.self,
            RunShow.self,
            RunEvents.self,
            RunExport.self,
            RunUse.self,
            RunDelete.self,
            RunPrune.self,
        ])
}

@main enum Main {
    static func main() async {
        do {
            var command = try ECR.parseAsRoot()
            if let supervise = command as? Supervise {
                exit(await supervise.supervise())
            }
            try command.run()
        } catch {
            exit(Exit.report(error))
        }
    }
}
