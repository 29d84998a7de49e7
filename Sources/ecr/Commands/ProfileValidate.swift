import ArgumentParser
import ECRCore
import JSON
import Profiles
import YAML

struct ProfileValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a profile, without a target.",
        discussion: """
            Every problem is named with its file, line and column, all at once.

            Example:
              ecr profile validate device.yaml
            """)

    @Argument(help: ArgumentHelp("The profile: a path, or a name in the directory for profiles.", valueName: "profile"))
    var file: String
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let found: ProfileFile
        do throws(ECRFailure) { found = try ProfileFile(file, directory: profiles.profilesDir) } catch {
            if output.json && error.isLabelled {
                Terminal.result(["valid": false, "problems": .array(error.problems.map(\.json))])
            }
            throw error
        }
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

extension Diagnostic {
    fileprivate var json: JSON {
        [
            "severity": .string(severity.rawValue), "file": .string(file), "line": JSON(line), "column": JSON(column),
            "message": .string(message),
        ]
    }
}
