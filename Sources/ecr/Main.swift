import ArgumentParser
import ECRCore
import Glibc

/// The command line of ECR.
struct ECR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ecr",
        abstract: "Run experiments on embedded Linux devices over SSH, and record everything that happens.",
        discussion: """
            \(introduction)

            Example:
            \(example)

            Topics (`ecr help TOPIC`):
            \(HelpText([HelpTopic.list]).plain)
            """,
        version: ECRVersion.current,
        subcommands: [
            ProfileCommand.self,
            RunCommand.self,
            TargetCommand.self,
            Doctor.self,
            RunNote.self,
            RunAction.self,
            RunStatus.self,
            Verify.self,
            Config.self,
            HelpCommand.self,
            Completion.self,
            CompleteWords.self,
            Man.self,
            Supervise.self,
        ])

    static let introduction = """
        A profile (a YAML file) names the target and what to run on it. A run is one execution; all that happens in it \
        is kept in a directory below ./runs and can be exported as a dataset.
        """

    static let example = """
          ecr run start device.yaml
          ecr run action measure
          ecr run complete
          ecr run export -o dataset.zip
        """
}

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Work with profiles.",
        discussion: """
            Example:
              ecr profile validate device.yaml
            """,
        subcommands: [
            ProfileValidate.self,
            ProfileList.self,
            ProfileShow.self,
            ProfileNew.self,
        ])
}

struct TargetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "target", abstract: "Look after targets, without a run.",
        discussion: """
            Example:
              ecr target check device.yaml
              ecr target check root@192.168.1.100
            """,
        subcommands: [
            TargetCheck.self,
            TargetTrust.self,
            TargetClean.self,
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
            RunPush.self,
            RunPull.self,
            RunCancel.self,
            RunPause.self,
            RunRelease.self,
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
            RunWatch.self,
            RunList.self,
            RunShow.self,
            RunMetrics.self,
            RunEvents.self,
            RunExport.self,
            RunUse.self,
            RunDelete.self,
            RunPrune.self,
        ])
}

@main enum Main {
    /// Ends by `_exit`: `exit` would tear down libcrypto under the thread of the SSH loop. Nothing is left to be flushed,
    /// since all that is said goes through write(2).
    static func main() async {
        _exit(await status())
    }

    private static func status() async -> Int32 {
        do {
            var command = try ECR.parseAsRoot()
            if let supervise = command as? Supervise { return await supervise.supervise() }
            // Commands that connect by themselves. The root is none, so that the others pay nothing for it.
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ECRCore.ExitCode.success.rawValue
        } catch {
            return Exit.report(error)
        }
    }
}
