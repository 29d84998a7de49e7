import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@testable import ecr

/// What real shells make of a line when TAB is pressed.
@Suite struct CompletionTests {
    private let ecr: Ecr
    private let run: RunDirectory

    init() async throws {
        ecr = try Ecr()
        try ecr.scratch.write("board.yaml", Self.profile)
        try ecr.scratch.write("profiles/lab.yaml", Self.profile)
        run = try await ecr.create("--tag", "indoor")
        try ecr.append(
            to: run,
            [
                (.actionStarted, ["action": "hash", "job": "0001-hash", "invocation": "action"]),
                (.note, ["text": "the fan\nwas off"]),
            ])
        // Runs elsewhere, of another profile.
        try ecr.scratch.write(
            "other.yaml", "name: other\nconnection: {host: h}\nactions: {only: {commands: [\"a\"]}}\n")
        _ = try await ecr("run", "create", "other.yaml", "--runs-dir", "elsewhere")
    }

    private static let profile = """
        name: board
        connection: {host: board.example}
        parameters:
          size: {type: int, default: 4, min: 1, max: 64, description: "MiB to hash"}
          mode: {choices: [fast, "very slow"]}
        actions:
          hash: {commands: ["sha256sum /dev/zero {size} {mode}"], description: "Hash: a lot"}
          other: {commands: ["echo {free}"]}
        stages:
          - {name: warmup, actions: [hash]}
        background_collectors:
          load: {command: "cat /proc/loadavg", interval: 1}
        """

    /// A line, and the words that may stand at its end; `ID` stands for the run's id.
    static let cases: [(typed: String, words: [String])] = [
        ("ecr ru", ["run"]),
        ("ecr run collector ", ["start", "stop", "list"]),
        ("ecr run act", ["action"]),
        ("ecr run action ", ["hash", "other"]),
        ("ecr action ha", ["hash"]),
        ("ecr run action hash -p ", ["size=", "mode="]),
        ("ecr run action other -p ", ["free="]),
        ("ecr run action hash -p size=", ["size=4"]),
        ("ecr run action hash --param mode=f", ["mode=fast"]),
        ("ecr run start lab -p f", ["free="]),
        ("ecr run stage ", ["warmup"]),
        ("ecr target check la", ["lab"]),
        ("ecr run collector stop ", ["load"]),
        ("ecr run follow ", ["0001-hash"]),
        ("ecr run mark ", ["0001-hash", "hash", "other"]),
        ("ecr run mark 0001-hash ", ["invalid", "ok"]),
        ("ecr run mark 0001-hash ok ", []),
        ("ecr run log ", ["0001-hash", "hash", "other", "load"]),
        ("ecr run edit ", ["2"]),
        ("ecr run tag remove ", ["indoor"]),
        ("ecr run use ", ["ID"]),
        ("ecr run show --run 2", ["ID"]),
        ("ecr run show --run=2", ["--run=ID"]),
        ("ecr run action --runs-dir elsewhere ", ["only"]),
        ("ecr run action --runs-dir=elsewhere o", ["only"]),
        ("ecr run complete --w", ["--wait", "--without-target"]),
        ("ecr run events --type action_f", ["action_failed"]),
        ("ecr run start la", ["lab"]),
        ("ecr run start boa", ["board.yaml"]),
        ("ecr run export -o boa", ["board.yaml"]),
        ("ecr run list --runs-dir els", ["elsewhere"]),
        ("ecr help exi", ["exit-codes"]),
        ("ecr help run colle", ["collector"]),
        ("ecr completion ", ["bash", "zsh", "fish"]),
        ("ecr run note ", []),
        ("ecr nonsense ", []),
        ("ecr run show --zzz", []),
        ("ecr run exec -- l", []),
    ]

    @Test(arguments: ["bash", "zsh"]) func wordsAtTheEnd(shell: String) async throws {
        let typed = Self.cases.map(\.typed)
        let lines = try await InteractiveShell(shell, ecr.scratch).lines(pressing: .all, behind: typed)
        for ((typed, words), line) in zip(Self.cases, lines) {
            let head = typed.split(separator: " ", omittingEmptySubsequences: false).dropLast()
            let found = line.split(separator: " ").dropFirst(head.count).map { $0.split(separator: "/").joined() }
            let expected = words.isEmpty ? [String(typed.split(separator: " ").last ?? "")] : words
            let before = words.isEmpty && typed.hasSuffix(" ") ? [] : expected
            #expect(found.sorted() == before.map { neutral($0) }.sorted(), "\(shell): \(typed): \(line)")
        }
        #expect(lines.count == Self.cases.count)
    }

    @Test func wordsAtTheEndInFish() async throws {
        let script = try ecr.scratch.write("ecr.fish", try await ecr("completion", "fish").outputText)
        for (typed, words) in Self.cases {
            let result = try await Command.run(
                try #require(Command.find("fish")),
                ["--no-config", "-c", "source \(script); complete -C $argv[1]", typed],
                environment: InteractiveShell.environment(ecr.scratch), workingDirectory: ecr.scratch.path)
            #expect(result.errorText == "", "\(typed)")
            let found = result.outputText.split(separator: "\n").map { line in
                String(line.prefix { $0 != "\t" && $0 != "/" })
            }
            #expect(found.sorted() == words.map { neutral($0) }.sorted(), "fish: \(typed)")
        }
    }

    private func neutral(_ word: String) -> String {
        word.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: run.id)
    }

    /// What is typed on behind an answer: a space where a word has ended, none where it goes on.
    @Test(arguments: ["bash", "zsh"]) func whatFollowsAWord(shell: String) async throws {
        let cases = [
            ("ecr run action hash -p si", "ecr run action hash -p size="),
            ("ecr run action hash -p mode=v", "ecr run action hash -p mode=very\\ slow "),
            ("ecr run action hash -p \"mode=v", "ecr run action hash -p \"mode=very slow\" "),
            ("ecr run create board.yaml --tag i", "ecr run create board.yaml --tag indoor "),
            ("ecr run export --output=boa", "ecr run export --output=board.yaml "),
            ("ecr run list --runs-dir=els", "ecr run list --runs-dir=elsewhere/"),
            ("ecr run status --nope", "ecr run status --nope"),
            ("ECR_RUN=latest ecr run follow 0", "ECR_RUN=latest ecr run follow 0001-hash "),
        ]
        let lines = try await InteractiveShell(shell, ecr.scratch).lines(pressing: .tab, behind: cases.map(\.0))
        #expect(lines == cases.map(\.1))
    }

    /// Nothing that a prompt could be spoiled with, whatever lies about.
    @Test func silenceWhereNothingIsKnown() async throws {
        try ecr.scratch.write("broken.yaml", "name: [")
        try ecr.scratch.write("damaged/2026-01-01_000000_x/events.jsonl", "no event\n")
        try ecr.scratch.write("damaged/.current", "2026-01-01_000000_x\n")
        for words in [
            ["run", "start", "broken.yaml", "-p", ""], ["run", "action", "--run", "none", ""],
            ["run", "action", "--runs-dir", "/none", ""], ["run", "follow", "--runs-dir", "damaged", ""],
            ["run", "action", "--runs-dir", "damaged", ""], ["run", "bogus", "x", ""],
            ["run", "create", "--runs-dir", "damaged", "--tag", ""],
        ] {
            let result = try await ecr.run(["complete-words", "zsh"] + words)
            #expect(result.status == 0 && result.outputText == "words\n" && result.errorText == "", "\(words)")
        }
        let bash = try await ecr("complete-words", "bash", "ecr run 'unfinished ", "")
        #expect(bash.status == 0 && bash.outputText == "words\n" && bash.errorText == "")
    }

    @Test func namesThatWouldReachTheTerminalAreLeftOut() async throws {
        for name in ["2026-01-01_000000_\u{1B}[31mred", "2026-01-01_000000_tab\tbed", "2026-01-01_000000_good"] {
            try ecr.scratch.write("odd/\(name)/events.jsonl", "")
        }
        let result = try await ecr("complete-words", "fish", "run", "use", "--runs-dir", "odd", "")
        let names = result.outputText.split(separator: "\n").dropFirst().map { $0.prefix { $0 != "\t" } }
        #expect(names == ["2026-01-01_000000_good"])
    }

    @Test func explanations() async throws {
        let actions = try await ecr("complete-words", "zsh", "run", "action", "").outputText
        #expect(actions == "words\nhash\tHash: a lot\nother\techo {free}\n")
        #expect(try await ecr("complete-words", "fish", "run", "edit", "").outputText == "words\n2\tthe fan\n")
        let parameters = try await ecr("complete-words", "zsh", "run", "action", "hash", "-p", "").outputText
        #expect(parameters == "words\nsize=\tint, 1 to 64, default 4: MiB to hash\nmode=\tfast|very slow\n")
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func scriptsAreWellFormed(shell: String) async throws {
        let script = try ecr.scratch.write("script", try await ecr("completion", shell).outputText)
        let check = try await Command.run(try #require(Command.find(shell)), ["-n", script])
        #expect(check.status == 0 && check.errorText == "")
    }

    /// A new argument is completed, or somebody has decided that it cannot be.
    @Test func everyValueHasAKind() {
        let arguments = CommandReference(ECR.self).leaves.flatMap(\.arguments)
        #expect(arguments.count > 50)
        for argument in arguments where argument.kind != .flag && argument.choices.isEmpty {
            let kinds = ValueKind.kinds(of: argument.valueName)
            #expect(
                !kinds.isEmpty && kinds.joined().allSatisfy { $0 != nil }, "add '\(argument.valueName)' to ValueKind")
        }
    }
}

/// The words of bash's lines, which bash itself breaks elsewhere.
@Suite struct BashLineTests {
    @Test(arguments: [
        ("ecr run act", "act", ["ecr", "run", "act"]),
        ("ecr run ", "", ["ecr", "run", ""]),
        ("ecr x a\\ b", "a\\ b", ["ecr", "x", "a b"]),
        ("ecr x 'a b' \"c \\\" d\" e", "e", ["ecr", "x", "a b", "c \" d", "e"]),
        ("ecr x \"a b", "a b", ["ecr", "x", "a b"]),
        ("ecr x 'it\\", "it\\", ["ecr", "x", "it\\"]),
        ("ecr x '' ", "", ["ecr", "x", "", ""]),
        ("ecr x a\"b c\"d", "a\"b c\"d", ["ecr", "x", "ab cd"]),
    ]) func words(_ line: String, _ replaced: String, _ expected: [String]) {
        #expect(BashLine(line, replaced: replaced).words == expected)
    }

    @Test(arguments: [
        ("ecr -p size=6", "6", "size=64", "64"),
        ("ecr -p size=", "", "size=64", "64"),
        ("ecr -p a:b=c", "c", "a:b=cd", "cd"),
        ("ecr x a\\ b", "a\\ b", "a b c", "a\\ b\\ c"),
        ("ecr x \"a b", "a b", "a b c", "a b c"),
        ("ecr x 'n=a b", "n=a b", "n=a b c", "n=a b c"),
        ("ecr x n='a b", "a b", "n=a b c", "a b c"),
        ("ecr x ü=ä", "ä", "ü=äö", "äö"),
        ("ecr x ", "", "$(reboot);`id`", "\\$\\(reboot\\)\\;\\`id\\`"),
    ]) func replacements(_ line: String, _ replaced: String, _ candidate: String, _ expected: String) {
        #expect(BashLine(line, replaced: replaced).replacement(candidate) == expected)
    }

    @Test func whatDoesNotGoOnIsLeftOut() {
        #expect(BashLine("ecr run x", replaced: "x").replacement("action") == nil)
    }
}
