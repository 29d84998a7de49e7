import ArgumentParser
import ECRCore
import JSON
import Profiles

struct ProfileShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a profile as ecr understands it.",
        discussion: """
            Defaults are filled in, durations are seconds. The output is a profile itself.

            Example:
              ecr profile show board
            """)

    @Argument(help: ArgumentHelp("The profile: a path, or a name in the directory for profiles.", valueName: "profile"))
    var name: String
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let file = try ProfileFile(name, directory: profiles.profilesDir)
        let target = try TargetReference(file)
        if output.json {
            Terminal.result([
                "path": .string(file.path), "target": target.json, "profile": file.profile.resolved,
                "warnings": JSON(strings: file.warnings),
            ])
            return
        }
        file.warnings.forEach { Terminal.say($0) }
        Terminal.result(SafeText.line("# \(file.path)"))
        Terminal.result(SafeText.line("# target: \(target.address)"))
        Terminal.result(file.profile.text)
    }
}
