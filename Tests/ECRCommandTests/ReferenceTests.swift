import JSON
import RunStore
import TestSupport
import Testing

/// Which run a command acts on, and what it says of names that do not exist.
@Suite struct ReferenceTests {
    private let ecr: Ecr

    init() throws { ecr = try Ecr() }

    /// Those that change a run, each as it would be typed.
    static let changes = [
        ["note", "x"], ["run", "note", "x"], ["run", "edit", "last", "x"], ["run", "mark", "last", "ok"],
        ["run", "tag", "add", "x"], ["run", "tag", "remove", "x"], ["action", "hash"], ["run", "exec", "--", "true"],
        ["run", "collector", "start", "load"], ["run", "collector", "stop", "load"], ["run", "complete"],
        ["run", "abort"],
        ["run", "resume"], ["run", "start"], ["run", "stage", "warmup"], ["run", "pause"], ["run", "cancel"],
        ["run", "param", "set", "size=8"], ["run", "reconnect"],
    ]
    /// Those that look at one.
    static let looks = [
        ["status"], ["run", "collector", "list"], ["run", "log", "--all"], ["run", "show"], ["run", "events"],
        ["run", "tag", "list"], ["run", "param", "list"],
    ]

    @Test(arguments: changes) func withTwoLiveRunsAChangeMustNameOne(_ command: [String]) async throws {
        let (one, two) = (try await ecr.create("--name", "one"), try await ecr.create("--name", "two"))
        let (first, second) = (try FakeSupervisor(one), try FakeSupervisor(two))
        defer {
            first.stop()
            second.stop()
        }
        let result = try await ecr.run(command)
        #expect(result.status == 64)
        #expect(
            result.errorText.hasPrefix(
                "error: 2 runs are live, so name the one that is meant:\n  \(one.id)\n  \(two.id)\n"))
        #expect(first.received.isEmpty && second.received.isEmpty)
        // Named, it goes on to ask that run's supervisor, or to say what is wrong with it.
        var named = command
        named.insert(contentsOf: ["--run", "latest~1"], at: command.firstIndex(of: "--") ?? command.count)
        #expect(try await !ecr.run(named).errorText.contains("runs are live"))
        #expect(try await !ecr.run(command, environment: ["ECR_RUN": one.id]).errorText.contains("runs are live"))
        #expect(second.received.isEmpty)
    }

    @Test(arguments: looks) func withTwoLiveRunsALookIsAtTheCurrentOne(_ command: [String]) async throws {
        let (one, two) = (try await ecr.create("--name", "one"), try await ecr.create("--name", "two"))
        let answers = [#"{"result":{}}"#]
        let (first, second) = (try FakeSupervisor(one, answers: answers), try FakeSupervisor(two, answers: answers))
        defer {
            first.stop()
            second.stop()
        }
        #expect(try await ecr.run(command).status == 0)
        #expect(first.received.isEmpty)
    }

    @Test(arguments: changes + looks) func everyCommandTakesEveryNameOfARun(_ command: [String]) async throws {
        let run = try await ecr.create("--name", "one")
        _ = try await ecr.create("--name", "two")
        let place = command.firstIndex(of: "--") ?? command.count
        for name in [run.id, String(run.id.prefix(run.id.count - 1)), try run.state().shortID, "latest~1"] {
            var named = command
            named.insert(contentsOf: ["--run", name], at: place)
            // `start` would connect; that the run was found is seen from what it is refused with else.
            if command != ["run", "start"] { #expect(try await ecr.run(named).status != 66, "\(named)") }
        }
        var missing = command
        missing.insert(contentsOf: ["--run", "nope"], at: place)
        let result = try await ecr.run(missing)
        #expect(result.status == 66 && result.errorText.hasPrefix("error: no run 'nope' in "))
    }

    @Test func aRunIsGuessedByItsName() async throws {
        _ = try await ecr.create("--name", "cold-start")
        let second = try await ecr.create("--name", "cold-start")
        for name in ["cold-start", "cold_start", "cold-strat"] {
            #expect(try await ecr("run", "show", name).errorText.hasSuffix("; did you mean '\(second.id)'?\n"))
        }
        #expect(try await ecr("run", "use", "\(second.id)x").errorText.hasSuffix("; did you mean '\(second.id)'?\n"))
    }

    @Test(arguments: [
        ("rnu", "'rnu'; did you mean 'run'?\n  try: ecr run"),
        ("start", "'start'; did you mean 'run start'?\n  try: ecr run start"),
        ("run actoin hash", "'run actoin'; did you mean 'run action'?\n  try: ecr run action"),
        (
            "run collector strat x",
            "'run collector strat'; did you mean 'run collector start'?\n  try: ecr run collector start"
        ),
        ("exprot", "'exprot'; did you mean 'run export'?\n  try: ecr run export"),
        ("run collector fly", "'run collector fly'; there are: start, stop, list\n  try: ecr help run collector"),
        ("help statsu", "'statsu'; did you mean 'status'?\n  try: ecr status"), ("fly", "'fly'\n  try: ecr help"),
        ("supervice", "'supervice'\n  try: ecr help"),
    ])
    func aMistypedCommand(_ line: String, _ answer: String) async throws {
        let result = try await ecr.run(line.split(separator: " ").map(String.init))
        #expect(result.status == 64 && result.outputText == "")
        #expect(result.errorText == "error: there is no command \(answer)\n")
    }
}
