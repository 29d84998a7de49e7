import ArgumentParser
import ECRCore
import JSON
import Profiles

struct ProfileValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a profile, without a target.",
        discussion: """
            Every problem is named with its file, line and column, all at once.

            Example:
              ecr profile validate device.yaml
            """)

    @Argument(help: "The profile: a path, or a name in the directory for profiles.") var file: String
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let found = try ProfileFile(file, directory: profiles.profilesDir)
        let profile = found.profile
        found.warnings.forEach { Terminal.say($0) }
        if output.json {
            Terminal.result(["valid": true, "warnings": JSON(strings: found.warnings), "profile": profile.resolved])
            return
        }
        let actions = Amount.count(Int64(profile.actions.count), "action")
        let collectors = Amount.count(Int64(profile.collectors.count), "collector")
        Terminal.result(SafeText.line("\(file) is valid: \(actions), \(collectors)"))
    }
}
