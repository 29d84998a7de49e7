import JSON
import YAML

/// The settings files that hold in the working directory.
enum SettingsFinding {
    static var finding: Finding {
        do throws(ECRFailure) {
            let settings = try Settings.load()
            let files = [settings.project, settings.user].compactMap { $0?.path }
            let details: JSONObject = ["files": JSON(strings: files)]
            if let warning = settings.warnings.first {
                return Finding("settings", .warning, warning, hint: "ecr config --list --show-origin", details: details)
            }
            let none = "no \(Settings.projectFileName) here or above, and no \(Settings.userFile)"
            return Finding("settings", .ok, files.isEmpty ? none : files.joined(separator: ", "), details: details)
        } catch {
            let problem = error.problems.first.map { "\($0.file), line \($0.line): \($0.message)" }
            return Finding(
                "settings", .failed, problem ?? error.message, hint: "ecr config names everything that is wrong")
        }
    }
}
