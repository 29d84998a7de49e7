import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@Suite struct SettingsTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    /// `origin key=value`, with the paths shortened.
    private func config(_ arguments: String..., environment: [String: String?] = [:], below folder: String = "")
        async throws
        -> [String]
    {
        let result = try await Command.run(
            try BuiltProducts.ecr(), ["config", "--json"] + arguments,
            environment: ecr.settings.merging(environment) { $1 }, workingDirectory: ecr.scratch.path(folder))
        #expect(result.status == 0, "\(result.errorText)")
        return try (result.json()["settings"]?.array ?? []).map { entry in
            let value = entry["value"]?.string ?? entry["value"]?.text ?? ""
            return ecr.neutral("\(entry["origin"]?.string ?? "") \(entry["key"]?.string ?? "")=\(value)")
        }
    }

    private func writeBoth() throws {
        try ecr.scratch.write(
            "project/ecr.yaml",
            """
            runs_dir: data
            defaults: {tags: [lab], licence: CC-BY-4.0}
            """)
        try ecr.scratch.write(
            "config/ecr/config.yaml",
            """
            runs_dir: /elsewhere
            profiles_dir: ../mine
            defaults:
              tags: [home, desk]
              author: Ada Lovelace
            notify: {on: [run_completed], run: "./ping.sh"}
            """)
        try FileSystem.makeDirectories(ecr.scratch.path("project/deep/down"))
    }

    @Test func withoutFilesTheBuiltInOnesHold() async throws {
        #expect(try await config() == ["built-in runs_dir=runs", "built-in profiles_dir=profiles"])
    }

    @Test func theProjectIsFoundUpwardAndGoesBeforeTheUser() async throws {
        try writeBoth()
        let project = "file DIR/project/ecr.yaml", user = "file DIR/config/ecr/config.yaml"
        #expect(
            try await config(below: "project/deep/down") == [
                "\(project):1 runs_dir=DIR/project/data", "\(user):2 profiles_dir=DIR/config/ecr/../mine",
                "\(project):2 defaults.tags=[\"lab\"]", "\(user):5 defaults.author=Ada Lovelace",
                "\(project):2 defaults.licence=CC-BY-4.0", "\(user):6 notify.on=[\"run_completed\"]",
                "\(user):6 notify.run=./ping.sh",
            ])
        // A project inside the project is one of its own.
        try ecr.scratch.write("project/deep/ecr.yaml", "defaults: {author: Bob}")
        let inner = try await config(below: "project/deep/down")
        #expect(inner.contains("file DIR/project/deep/ecr.yaml:1 defaults.author=Bob"))
        #expect(inner.contains("\(user):1 runs_dir=/elsewhere"))
    }

    @Test func optionsGoBeforeTheEnvironmentAndThatBeforeFiles() async throws {
        try writeBoth()
        let variables: [String: String?] = [
            "ECR_RUNS_DIR": "e", "ECR_PROFILES_DIR": "p", "ECR_AUTHOR": "Eve", "ECR_LICENCE": "MIT",
        ]
        let environment = try await config(environment: variables, below: "project")
        for line in [
            "environment $ECR_RUNS_DIR runs_dir=e", "environment $ECR_PROFILES_DIR profiles_dir=p",
            "environment $ECR_AUTHOR defaults.author=Eve", "environment $ECR_LICENCE defaults.licence=MIT",
        ] { #expect(environment.contains(line)) }
        let options = try await config(
            "--runs-dir", "o", "--profiles-dir", "q", environment: variables, below: "project")
        #expect(options[0] == "option --runs-dir runs_dir=o" && options[1] == "option --profiles-dir profiles_dir=q")
    }

    @Test func asText() async throws {
        try writeBoth()
        let result = try await ecr("config", "--list")
        #expect(result.outputText.hasPrefix("runs_dir=/elsewhere\nprofiles_dir=") && result.errorText == "")
        let origins = try await ecr("config", "--show-origin")
        #expect(
            ecr.neutral(origins.outputText).contains("file DIR/config/ecr/config.yaml:4  defaults.tags=home,desk\n"))
        #expect(origins.errorText == "no ecr.yaml here or above\n")
    }

    @Test func aRunIsMadeByThem() async throws {
        try writeBoth()
        try ecr.scratch.write("config/mine/board.yaml", Ecr.goodProfile)
        let made = try await Command.run(
            try BuiltProducts.ecr(), ["run", "create", "board", "--tag", "x", "--tag", "lab"],
            environment: ecr.settings,
            workingDirectory: ecr.scratch.path("project/deep"))
        #expect(made.status == 0, "\(made.errorText)")
        let run = RunDirectory(path: ecr.scratch.path("project/data/\(made.outputText.dropLast())"))
        let state = try run.state()
        #expect(state.tags == ["lab", "x"])
        #expect(state.author == "Ada Lovelace" && state.licence == "CC-BY-4.0")
        #expect(
            state.notify == [
                "on": ["run_completed"], "run": "./ping.sh", "directory": .string(ecr.scratch.path("config/ecr")),
            ])
        let shown = try await ecr("run", "show", "--runs-dir", "project/data")
        #expect(shown.outputText.contains("author     Ada Lovelace\nlicence    CC-BY-4.0\n"))
        // Below the working directory of the others there is no project.
        #expect(try await ecr("run", "list").errorText.hasPrefix("no runs in /elsewhere\n"))
    }

    @Test func theProfilesNotifyGoesFirst() async throws {
        try writeBoth()
        try ecr.scratch.write("board.yaml", Ecr.goodProfile + "\nnotify: {on: [action_failed], run: own}")
        let run = try await ecr.create("--runs-dir", "runs")
        #expect(
            try run.state().notify == [
                "on": ["action_failed"], "run": "own", "directory": .string(ecr.scratch.path),
            ])
        let resolved = try JSON(parsing: try FileSystem.read(run.profileResolved))
        #expect(resolved["notify"] == ["on": ["action_failed"], "run": "own"])
    }

    @Test func whatIsWrongIsSaidAllAtOnce() async throws {
        let path = try ecr.scratch.write(
            "ecr.yaml",
            """
            runs_dirr: x
            author: me
            profiles_dir: [a]
            defaults: {tags: [good, "a b"], license: x, author: " "}
            notify: {on: [run_complete, fly], run: ""}
            """)
        let result = try await ecr("status")
        #expect(result.status == 78 && result.outputText == "")
        let lines = result.errorText.split(separator: "\n").filter { $0.hasPrefix(path) }.map {
            String($0.dropFirst(path.utf8.count + 1))
        }
        #expect(
            lines == [
                "1:1: error: unknown key 'runs_dirr' in the settings; did you mean 'runs_dir'?",
                "2:1: error: unknown key 'author' in the settings; write it below 'defaults'",
                "3:15: error: 'profiles_dir' must be text, not a list; write it in quotes, such as \"abc\"",
                "4:25: error: a tag cannot be 'a b'; write 1 to 64 letters, digits, '_', '.' or '-'",
                "4:33: error: unknown key 'license' in 'defaults'; write 'licence'",
                "4:53: error: 'author' is empty; write its text, or remove it",
                "5:15: error: there is no event type 'run_complete'; did you mean 'run_completed'?",
                "5:29: error: there is no event type 'fly'; `ecr help events` lists them",
                "5:40: error: 'run' is empty; write a command, such as ./ping.sh",
            ])
        // With the directory given, the files are not asked.
        #expect(try await ecr("run", "list", "--runs-dir", "runs").status == 0)
        #expect(try await ecr("run", "list", environment: ["ECR_RUNS_DIR": "runs"]).status == 0)
    }

    @Test(arguments: ["", "\n", "# nothing yet\n  # runs_dir: x\n"]) func aFileWithoutSettingsIsOne(_ text: String)
        async throws
    {
        try ecr.scratch.write("ecr.yaml", text)
        #expect(try await config() == ["built-in runs_dir=runs", "built-in profiles_dir=profiles"])
    }

    @Test func aFileThatOthersCanWriteNotifiesNobody() async throws {
        let path = try ecr.scratch.write("ecr.yaml", "notify: {on: [note], run: x}", mode: 0o666)
        try #require(try await Command.run("/bin/chmod", ["666", path]).status == 0)
        #expect(try await config() == ["built-in runs_dir=runs", "built-in profiles_dir=profiles"])
        let made = try await ecr("run", "create", "board.yaml")
        #expect(made.status == 0)
        #expect(made.errorText.contains("warning: 'notify' in \(path) is not used: "))
        let run = RunDirectory(path: ecr.scratch.path("runs/\(made.outputText.dropLast())"))
        #expect(try run.state().notify == nil)
    }

    @Test func aRelativeXDGDirectoryDoesNotCount() async throws {
        try ecr.scratch.write("x/ecr/config.yaml", "runs_dir: wrong")
        try ecr.scratch.write("home/.config/ecr/config.yaml", "runs_dir: /right")
        let lines = try await config(environment: ["XDG_CONFIG_HOME": "x", "HOME": ecr.scratch.path("home")])
        #expect(lines[0].hasSuffix("runs_dir=/right"))
    }

    @Test func aMistypedProfileIsGuessed() async throws {
        try ecr.scratch.write("profiles/jetson.yaml", Ecr.goodProfile)
        #expect(
            try await ecr("run", "create", "jetsno").errorText
                == "error: there is no profile 'jetsno'; did you mean 'jetson'?\n")
    }
}
