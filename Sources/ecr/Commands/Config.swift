import ArgumentParser
import ECRCore
import JSON
import LinuxSystem
import Profiles

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings that hold here, and where each comes from.",
        discussion: """
            Options go before the environment ($ECR_RUNS_DIR, $ECR_PROFILES_DIR, $ECR_AUTHOR, $ECR_LICENCE), that before the \
            project's ecr.yaml, which is found upward from the working directory, and that before your own \
            ~/.config/ecr/config.yaml ($XDG_CONFIG_HOME). Both files have the same keys:

              runs_dir: ~/runs            (relative paths start at the file's folder)
              profiles_dir: profiles
              defaults: {tags: [lab], author: Ada Lovelace, licence: CC-BY-4.0}
              notify: {on: [connection_lost, action_failed, run_completed], run: ./ping.sh}

            Example:
              ecr config --list --show-origin
            """)

    @Flag(help: "List them; this is what is done without it, too.") var list = false
    @Flag(help: "Say where each comes from.") var showOrigin = false
    @OptionGroup var profiles: ProfileOptions
    @OptionGroup var output: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let settings = try Settings.load()
        settings.warnings.forEach { Terminal.warn($0) }
        let entries = Self.entries(settings, runs: common.runsDir, profiles: profiles.profilesDir)
        if output.json { return Terminal.result(json(entries, settings)) }
        var table = Table()
        for entry in entries { table.add((showOrigin ? [entry.origin.text] : []) + ["\(entry.key)=\(entry.text)"]) }
        Terminal.result(table.text())
        guard showOrigin else { return }
        if settings.project == nil { Terminal.say("no \(Settings.projectFileName) here or above") }
        if settings.user == nil { Terminal.say("no \(Settings.userFile)") }
    }

    private struct Entry {
        let key: String
        let value: JSON
        let origin: Settings.Origin

        /// Lists with commas.
        var text: String { value.string ?? value.array?.compactMap(\.string).joined(separator: ",") ?? value.text }
    }

    private static func entries(_ settings: Settings, runs: String?, profiles: String?) -> [Entry] {
        func entry(_ key: String, _ value: Settings.Value<String>?) -> Entry? {
            value.map { Entry(key: key, value: .string($0.content), origin: $0.origin) }
        }
        let notify = settings.notify?.value
        let entries: [Entry?] = [
            entry("runs_dir", settings.runsDirectory(option: runs)),
            entry("profiles_dir", settings.profilesDirectory(option: profiles)),
            settings.tags.map { Entry(key: "defaults.tags", value: JSON(strings: $0.content), origin: $0.origin) },
            entry("defaults.author", settings.author), entry("defaults.licence", settings.licence),
            notify.map { Entry(key: "notify.on", value: JSON(strings: $0.content.on), origin: $0.origin) },
            notify.map { Entry(key: "notify.run", value: .string($0.content.run), origin: $0.origin) },
        ]
        return entries.compactMap { $0 }
    }

    private func json(_ entries: [Entry], _ settings: Settings) -> JSON {
        let list = entries.map { entry -> JSON in
            ["key": .string(entry.key), "value": entry.value, "origin": .string(entry.origin.text)]
        }
        let files = [settings.project, settings.user].compactMap { $0?.path }
        return ["settings": .array(list), "files": JSON(strings: files)]
    }
}
