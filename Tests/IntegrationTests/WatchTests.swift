import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Command.find("script") != nil)) struct WatchTests {
    private static let profile = """
        actions: {count: {commands: ["for i in 1 2 3; do echo line $i; done; sleep 30"]}}
        background_collectors: {mem: {builtin: memory, interval: 200ms}}
        """

    /// A watch at a terminal of script(1), whose keys are typed here.
    private func watch(_ fixture: RunFixture, _ run: RunDirectory) throws -> RunningCommand {
        let command = "\(try BuiltProducts.ecr()) run watch \(run.id); stty -a"
        return try RunningCommand(
            "/bin/sh", ["-c", "exec script -qec '\(command)' /dev/null"], environment: RunFixture.settings,
            hasInput: true, workingDirectory: fixture.scratch.path)
    }

    @Test func theScreenShowsTheRunAndTakesKeys() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "count", "--detach")
            try await fixture.wait(for: "output") { try run.state().jobs.contains { $0.stdoutBytes > 0 } }
            let watching = try watch(fixture, run)
            for (keys, answer) in [("", "mem.used"), ("nseen by eye\r", "recorded"), ("p", "paused"), ("q", "1049l")] {
                try await type(keys, watching, until: answer)
            }
            let shown = try await watching.wait().outputText
            for text in [run.id, "connected", "mem.used", "line 3", "-count for", "n note"] {
                #expect(shown.contains(text), "\(text) in \(shown)")
            }
            // The second screen is left, the cursor is back, and so is what is typed.
            #expect(shown.contains("\u{1B}[?1049h") && shown.contains("\u{1B}[?25h\u{1B}[?1049l"))
            #expect(shown.contains(" icanon") && shown.contains(" echo "))
            #expect(try run.events(.note).last?.data["text"] == "seen by eye")
            #expect(try run.state().status == .paused)
        }
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGSEGV]) func theTerminalIsGivenBackAtASignal(number: Int32)
        async throws
    {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            let watching = try watch(fixture, run)
            try await watching.waitForOutput("\u{1B}[?1049h")
            for id in Processes.ids(withArgument: run.id) { Processes.signal(id, number) }
            let shown = try await watching.wait().outputText
            #expect(shown.contains("\u{1B}[?25h\u{1B}[?1049l"))
            #expect(shown.contains(" icanon") && shown.contains(" echo "))
        }
    }

    @Test func linesWhereThereIsNoTerminal() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            let watching = try fixture.background("run", "watch")
            try await watching.waitForOutput("is running")
            try await fixture.expect(0, "run", "note", "a word")
            try await watching.waitForOutput("note  a word")
            try await fixture.expect(0, "run", "abort")
            let result = try await watching.wait()
            #expect(result.status == 0)
            #expect(result.outputText.contains("run_aborted") && result.outputText.contains("mem.used="))
            #expect(!result.outputText.contains("\u{1B}"))
            #expect(try run.state().status == .aborted)
        }
    }

    // MARK: A shell at a terminal

    /// An interactive shell at a terminal of script(1), whose keys are typed here.
    private func shell(_ fixture: RunFixture) throws -> RunningCommand {
        try RunningCommand(
            "/bin/sh",
            ["-c", "exec script -qefc 'PS1= PROMPT_COMMAND= bash --norc --noprofile -i' /dev/null"],
            environment: RunFixture.settings.merging(["ECR": try BuiltProducts.ecr()]) { $1 }, hasInput: true,
            workingDirectory: fixture.scratch.path)
    }

    /// - Parameter prepare: what is done before the shell starts.
    private func withShell(
        _ prepare: (RunFixture, RunDirectory) async throws -> Void = { _, _ in },
        _ body: (RunFixture, RunDirectory, RunningCommand) async throws -> Void
    ) async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            try await prepare(fixture, run)
            let shell = try shell(fixture)
            try await body(fixture, run, shell)
            shell.write(Array("exit\n".utf8))
            _ = try await shell.wait()
        }
    }

    /// Types, and waits for what comes of it behind what has been there.
    private func type(_ text: String, _ shell: RunningCommand, until expected: String) async throws {
        let before = shell.output.count
        shell.write(Array(text.utf8))
        let deadline = ContinuousClock.now + .seconds(20)
        while !String(decoding: shell.output.dropFirst(before), as: UTF8.self).contains(expected) {
            let shown = String(decoding: shell.output.dropFirst(before), as: UTF8.self)
            try #require(ContinuousClock.now < deadline, "no '\(expected)' behind '\(text)': \(shown)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func ctrlZGivesTheTerminalBackAndFgTakesItAgain() async throws {
        try await withShell { _, run, shell in
            try await type("$ECR run watch\n", shell, until: "q quit")
            try await type("\u{1A}", shell, until: "\u{1B}[?25h\u{1B}[?1049l")
            try await type("stty -a; echo line $((20 + 3))\n", shell, until: "line 23")
            #expect(shell.outputText.contains(" icanon") && shell.outputText.contains(" echo "))
            try await type("fg\n", shell, until: "\u{1B}[?1049h")
            try await type("n", shell, until: "note: ")
            // It is the terminal of the watch again: no Enter is needed, and nothing is echoed by it.
            try await type("back\r", shell, until: "recorded")
            #expect(try run.events(.note).last?.data["text"] == "back")
            try await type("q", shell, until: "\u{1B}[?1049l")
            try await type("stty -a; echo line $((20 + 4))\n", shell, until: "line 24")
            #expect(!shell.outputText.components(between: "[?1049l", "line 24").contains("-icanon"))
        }
    }

    @Test func theScreenFollowsTheSizeOfTheTerminal() async throws {
        try await withShell { fixture, _, shell in
            try await type("stty rows 30 cols 100; tty >tty; $ECR run watch\n", shell, until: "p pause/resume")
            let terminal = try String(
                decoding: FileSystem.read(fixture.scratch.path("tty")), as: UTF8.self
            ).split(separator: "\n")[0]
            let before = shell.output.count
            // The kernel tells the watch by SIGWINCH.
            try await Command.runSuccessfully(
                "/bin/sh", ["-c", "stty rows 9 cols 36 <'\(terminal)'"])
            try await type("", shell, until: "p pause  r release")
            let shown = String(decoding: shell.output.dropFirst(before), as: UTF8.self)
            let screen = try #require(shown.components(behind: "\u{1B}[H").last { $0.contains("p pause  r release") })
            #expect(screen.split(separator: "\r\n", omittingEmptySubsequences: false).count == 9)
            try await type("q", shell, until: "\u{1B}[?1049l")
        }
    }

    @Test func anArrowKeepsWhatIsTypedAndCtrlCDropsIt() async throws {
        try await withShell { _, run, shell in
            try await type("$ECR run watch\n", shell, until: "q quit")
            try await type("nab", shell, until: "note: ab")
            try await type("\u{1B}[D\u{1B}[Ac", shell, until: "note: abc")
            try await type("\u{03}", shell, until: "q quit")
            try await type("nkept\r", shell, until: "recorded")
            #expect(try run.events(.note).map { $0.data["text"] } == ["kept"])
            // Without a note it ends the watch, as everywhere.
            try await type("\u{03}", shell, until: "\u{1B}[?1049l")
            try await type("echo status $?\n", shell, until: "status 130")
        }
    }

    @Test func aSupervisorThatHangsStopsNoKey() async throws {
        try await withShell { _, run, shell in
            try await type("$ECR run watch\n", shell, until: "mem.used")
            let supervisor = Processes.ids(withArgument: run.path)
            for id in supervisor { Processes.signal(id, SIGSTOP) }
            defer { for id in supervisor { Processes.signal(id, SIGCONT) } }
            try await type("p", shell, until: "the supervisor has not answered yet")
            try await type("q", shell, until: "the supervisor does not answer")
        }
    }

    @Test func aRunWithoutASupervisorIsShownAsThat() async throws {
        try await withShell { fixture, run in
            try await fixture.expect(0, "run", "action", "count", "--detach")
            try await fixture.killSupervisor(of: run)
        } _: { _, _, shell in
            try await type("stty cols 150; $ECR run watch\n", shell, until: "n note   q quit")
            let shown = shell.outputText
            #expect(shown.contains("  interrupted") && shown.contains("(ecr run resume)"))
            #expect(shown.contains("-count (no end on record)") && !shown.contains("connected"))
            try await type("q", shell, until: "\u{1B}[?1049l")
        }
    }
}

extension String {
    /// What stands behind each occurrence of a text, up to the next one.
    fileprivate func components(behind text: String) -> [String] {
        var pieces: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            let next = rest[range.upperBound...].firstRange(of: text)?.lowerBound ?? rest.endIndex
            pieces.append(String(rest[range.upperBound..<next]))
            rest = rest[next...]
        }
        return pieces
    }

    /// What stands behind the last occurrence of a text, up to another text.
    fileprivate func components(between start: String, _ end: String) -> String {
        let tail = components(behind: start).last ?? ""
        return tail.firstRange(of: end).map { String(tail[..<$0.lowerBound]) } ?? tail
    }
}
