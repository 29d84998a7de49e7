import ArgumentParser
import ECRCore
import JSON
import Profiles
import YAML

struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles that can be called by name.",
        discussion: """
            An invalid one is listed with its first problem; `ecr profile validate` names them all.

            Example:
              ecr profile list
            """)

    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let (found, directories) = try ListedProfile.all(directory: profiles.profilesDir)
        if output.json {
            Terminal.result(["profiles": .array(found.map(json)), "directories": JSON(strings: directories)])
            return
        }
        guard !found.isEmpty else {
            let places = directories.isEmpty ? "there is no directory of profiles" : directories.joined(separator: ", ")
            Terminal.say("no profiles: \(directories.isEmpty ? places : "nothing in \(places)")")
            return Terminal.say("next: ecr profile new profiles/my-board.yaml --from user@host")
        }
        var table = Table(["NAME", "TARGET", "DESCRIPTION", "FILE"])
        for profile in found { table.add(row(profile)) }
        Terminal.result(table.text())
    }

    private func row(_ listed: ListedProfile) -> [String] {
        switch listed.content {
        case .success(let file):
            [listed.reference, address(of: file), file.profile.description ?? "", listed.path]
        case .failure(let failure): [listed.reference, "-", "invalid: \(Self.problem(failure))", listed.path]
        }
    }

    /// As the profile has it where ssh_config cannot be read: `target check` says what is wrong there.
    private func address(of file: ProfileFile) -> String {
        (try? TargetReference(file))?.address ?? file.profile.connection.host
    }

    private func json(_ listed: ListedProfile) -> JSON {
        var json: JSONObject = ["name": .string(listed.reference), "path": .string(listed.path)]
        switch listed.content {
        case .success(let file):
            json["valid"] = true
            json["description"] = file.profile.description.map { .string($0) }
            json["target"] = (try? TargetReference(file))?.json
        case .failure(let failure):
            json["valid"] = false
            json["problem"] = .string(Self.problem(failure))
        }
        return .object(json)
    }

    private static func problem(_ failure: ECRFailure) -> String {
        guard let first = failure.problems.first(where: { $0.severity == .error }) else { return failure.message }
        return "line \(first.line): \(first.message)"
    }
}
