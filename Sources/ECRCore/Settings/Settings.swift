import LinuxSystem
package import Profiles
import RunStore

/// What holds unless the command line says otherwise: the environment goes first, then the project's `ecr.yaml`, which is
/// found upward from the working directory, then the person's `$XDG_CONFIG_HOME/ecr/config.yaml`.
package struct Settings: Sendable {
    /// A value and where it comes from.
    package struct Value<Content: Sendable>: Sendable {
        package let content: Content
        package let origin: Origin
    }

    package enum Origin: Sendable, Equatable {
        case option(String)
        case environment(String)
        case file(String, line: Int)
        case builtIn

        /// `file /home/me/lab/ecr.yaml:3`.
        package var text: String {
            switch self {
            case .option(let name): "option \(name)"
            case .environment(let name): "environment $\(name)"
            case .file(let path, let line): "file \(path):\(line)"
            case .builtIn: "built-in"
            }
        }
    }

    package let project: SettingsFile?
    package let user: SettingsFile?

    /// The files that exist, the one that goes first before the other.
    private var files: [SettingsFile] { [project, user].compactMap { $0 } }

    /// What is worth saying although the files are valid.
    package var warnings: [String] { files.flatMap(\.warnings) }

    /// Reads what there is. Without files it costs some microseconds.
    /// - Throws: `.configuration` with all that is wrong in a file.
    package static func load() throws(ECRFailure) -> Settings {
        let user = userFile
        return Settings(
            project: try projectFile().map { (path) throws(ECRFailure) in try SettingsFile(path) },
            user: isFile(user) ? try SettingsFile(user) : nil)
    }

    /// Where the person's file is, or would be. `$XDG_CONFIG_HOME` counts if it is absolute, as its specification says.
    package static var userFile: String {
        let base = Host.environment("XDG_CONFIG_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        return "\(base ?? "\(FileSystem.homeDirectory)/.config")/ecr/config.yaml"
    }

    /// The name of a project's file.
    package static let projectFileName = "ecr.yaml"

    private static func projectFile() -> String? {
        var folder = FileSystem.absolute(".")
        while true {
            let path = folder == "/" ? "/\(projectFileName)" : "\(folder)/\(projectFileName)"
            if isFile(path) { return path }
            if folder == "/" || folder.isEmpty { return nil }
            folder = FileSystem.parent(of: folder)
        }
    }

    private static func isFile(_ path: String) -> Bool { FileSystem.exists(path) && !FileSystem.isDirectory(path) }

    // MARK: Values

    package func runsDirectory(option: String?) -> Value<String> {
        text(\.runsDirectory, environment: "ECR_RUNS_DIR", option: ("--runs-dir", option))
            ?? Value(content: "runs", origin: .builtIn)
    }

    /// The first place in which profiles are looked for by name.
    package func profilesDirectory(option: String?) -> Value<String> {
        text(\.profilesDirectory, environment: "ECR_PROFILES_DIR", option: ("--profiles-dir", option))
            ?? Value(content: "profiles", origin: .builtIn)
    }

    /// All places in which profiles are looked for by name, existing or not, in this order.
    package func profilesDirectories(option: String?) -> [String] {
        let places: [String?] = [
            option, Host.environment("ECR_PROFILES_DIR"), value(\.profilesDirectory)?.content, "profiles",
            "Profiles",
            Self.builtInProfiles,
        ]
        return places.compactMap { $0 }.map { FileSystem.expandingTilde($0) }
    }

    /// The profiles that come with ecr, where it is installed with them: `../share/ecr/profiles` beside its directory.
    package static var builtInProfiles: String? {
        let prefix = FileSystem.parent(of: FileSystem.parent(of: Host.executablePath))
        let path = "\(prefix)/share/ecr/profiles"
        return FileSystem.isDirectory(path) ? path : nil
    }

    /// Tags of every new run.
    package var tags: Value<[String]>? { value(\.tags) }

    package var author: Value<String>? { text(\.author, environment: "ECR_AUTHOR") }

    package var licence: Value<String>? { text(\.licence, environment: "ECR_LICENCE") }

    /// The command that is told of events, and the folder in which it runs.
    package var notify: (value: Value<Notify>, folder: String)? {
        guard let file = files.first(where: { $0.notify != nil }), let value = value(\.notify) else { return nil }
        return (value, file.folder)
    }

    private func value<Content>(_ key: (SettingsFile) -> SettingsFile.Placed<Content>?) -> Value<Content>? {
        for file in files {
            if let placed = key(file) {
                return Value(content: placed.value, origin: .file(file.path, line: placed.line))
            }
        }
        return nil
    }

    private func text(
        _ key: (SettingsFile) -> SettingsFile.Placed<String>?, environment: String,
        option: (name: String, value: String?)? = nil
    ) -> Value<String>? {
        if let option, let text = option.value { return Value(content: text, origin: .option(option.name)) }
        if let text = Host.environment(environment) { return Value(content: text, origin: .environment(environment)) }
        return value(key)
    }
}
