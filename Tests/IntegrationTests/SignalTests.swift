import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Ctrl-C, SIGTERM, and a terminal that is closed, while a command waits for a job.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SignalTests {
    private func with(_ body: (RunFixture, RunDirectory, String) async throws -> Void) async throws {
        let sleep = Processes.uniqueSleep()
        try await RunFixture.with { fixture in
            let tidied = fixture.scratch.path("tidied")
            try fixture.write(
                """
                actions:
                  slow: {commands: ["echo up; sleep \(sleep)"]}
                  tidy: {commands: ["echo >'\(tidied)'"]}
                finally: [tidy]
                """)
            try await body(fixture, try await fixture.start(), sleep)
        }
    }

    @Test func ctrlCAtATerminalAsksAndLeavesTheJob() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.terminal("run", "action", "slow")
            try await action.waitForOutput("up")
            action.write([0x03])
            try await action.waitForOutput("leave it running [Enter]?")
            action.write(Array("\n".utf8))
            let result = try await action.wait()
            #expect(result.status == 130)
            #expect(result.outputText.contains("job 0001-slow goes on"))
            #expect(Processes.exist(withArgument: sleep))
            #expect(try run.state().openJobs.count == 1)
        }
    }

    @Test func ctrlCAtATerminalCancelsWhenTold() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.terminal("run", "action", "slow")
            try await action.waitForOutput("up")
            action.write([0x03])
            try await action.waitForOutput("leave it running [Enter]?")
            action.write(Array("c\n".utf8))
            let result = try await action.wait()
            #expect(result.status == 130)
            #expect(result.outputText.contains("slow cancelled"))
            #expect(!Processes.exist(withArgument: sleep))
            #expect(try run.events(.actionCancelled).first?.data["death"]?.string == "confirmed")
        }
    }

    @Test func ctrlCWhileFilesComeSaysThatTheJobHasEnded() async throws {
        try await FaultBench.with { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let big = try fixture.scratch.write("big", bytes: [UInt8](repeating: 7, count: 20_000_000))
            try fixture.write(
                "actions: {fetch: {commands: [\"echo up\"], artifacts: [{path: \"\(big)\", allow_old: true}]}}")
            let run = try await bench.start()
            link.fail(.stall, after: 2_000_000, .toClient)
            let action = try fixture.terminal("run", "action", "fetch")
            try await fixture.wait(for: "the stall") { !link.isArmed }
            action.write([0x03])
            try await action.waitForOutput(
                "0001-fetch has ended, and its files are still coming. [c]ancel that, or let them come [Enter]?")
            action.write(Array("\n".utf8))
            let left = try await action.wait()
            #expect(left.status == 130)
            #expect(left.outputText.contains("job 0001-fetch has ended, and its files go on coming; `ecr run follow"))
            let status = try await fixture.expect(0, "status", "--json").json()
            #expect(status["running"]?.array?.first?["phase"]?.string == "fetching")
            #expect(status["transfers"]?.array?.first?["job"]?.string == "0001-fetch")
            let text = try await fixture.expect(0, "status").outputText
            #expect(text.contains("0001-fetch has ended, and its files are still coming\n"))
            #expect(text.contains("the files of 0001-fetch: "))
            // Somebody who comes later is told the same, and can give them up.
            let follower = try fixture.background("run", "follow", "--on-interrupt", "cancel")
            try await follower.waitForOutput("up")
            follower.signal(2)
            let result = try await follower.wait()
            #expect(result.status == 130)
            #expect(result.errorText.contains("giving up the files of 0001-fetch"))
            #expect(result.errorText.contains("artifact \(big): cancelled\nfetch completed"), "\(result.errorText)")
            link.restore()
            #expect(try run.events(.actionCompleted).count == 1)
        }
    }

    @Test func aSecondCtrlCLeavesAtOnce() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.terminal("run", "action", "slow")
            try await action.waitForOutput("up")
            action.write([0x03])
            try await action.waitForOutput("leave it running [Enter]?")
            action.write([0x03])
            let result = try await action.wait()
            #expect(result.status == 130)
            #expect(result.outputText.contains("job 0001-slow goes on"))
            #expect(Processes.exist(withArgument: sleep))
        }
    }

    @Test func aChoiceThatIsGivenIsNotAskedFor() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.background("run", "action", "slow", "--on-interrupt", "cancel")
            try await action.waitForOutput("up")
            action.signal(2)
            let result = try await action.wait()
            #expect(result.status == 130)
            #expect(result.errorText.contains("slow cancelled"))
            #expect(!Processes.exist(withArgument: sleep))
            // Without a terminal and without a choice the job goes on.
            let other = try fixture.background("run", "action", "slow")
            try await other.waitForOutput("up")
            other.signal(2)
            #expect(try await other.wait().errorText.contains("job 0002-slow goes on"))
            #expect(Processes.exist(withArgument: sleep))
        }
    }

    @Test func sigtermInCIAbortsTheRunAndTidiesUp() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.background("run", "action", "slow", environment: ["CI": "true"])
            try await action.waitForOutput("up")
            action.signal(15)
            let result = try await action.wait()
            #expect(result.status == 143)
            #expect(result.errorText.contains("is aborted"))
            #expect(!Processes.exist(withArgument: sleep))
            #expect(FileSystem.exists(fixture.scratch.path("tidied")))
            #expect(try run.state().status == .aborted)
            #expect(try run.events(.runAborted).first?.data["reason"]?.string == "SIGTERM")
        }
    }

    @Test func aClosedTerminalStopsNothing() async throws {
        try await with { fixture, run, sleep in
            let action = try fixture.terminal("run", "action", "slow")
            try await action.waitForOutput("up")
            action.signal(9)
            _ = try await action.wait()
            #expect(Processes.exist(withArgument: sleep))
            #expect(run.hasSupervisor())
            try await fixture.expect(0, "run", "cancel")
            #expect(!Processes.exist(withArgument: sleep))
        }
    }
}
