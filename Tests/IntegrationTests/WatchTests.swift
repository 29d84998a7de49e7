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

    private func watch(_ fixture: RunFixture, _ run: RunDirectory, _ input: String) throws -> RunningCommand {
        let ecr = try BuiltProducts.ecr()
        // A terminal of script(1); its input is typed once the screen is there.
        return try RunningCommand(
            "/bin/sh",
            [
                "-c",
                "{ sleep 2; printf '\(input)'; sleep 2; } | script -qec '\(ecr) run watch \(run.id); stty -a' /dev/null",
            ],
            environment: RunFixture.settings, workingDirectory: fixture.scratch.path)
    }

    @Test func theScreenShowsTheRunAndTakesKeys() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "count", "--detach")
            try await fixture.wait(for: "output") { try run.state().jobs.contains { $0.stdoutBytes > 0 } }
            let shown = try await watch(fixture, run, "nseen by eye\\rpq").wait().outputText
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
            let watching = try watch(fixture, run, "")
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
}
