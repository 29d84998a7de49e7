import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Ctrl-C, SIGTERM, a closed terminal and other commands while `ecr run start` has not come to its end.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StartInterruptionTests {
    /// A run whose setup waits for the file `go`; `tidy` leaves a witness.
    private func with(_ body: (RunFixture) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                """
                setup: [prepare]
                actions:
                  prepare: {commands: ["echo preparing; while [ ! -e '\(fixture.scratch.path("go"))' ]; do sleep 0.05; done"]}
                  tidy: {commands: ["echo >'\(fixture.scratch.path("tidied"))'"]}
                  hello: {commands: ["echo hello"]}
                finally: [tidy]
                background_collectors: {load: {command: "cat /proc/loadavg", interval: 0.2}}
                """)
            try await body(fixture)
        }
    }

    private func onlyRun(of fixture: RunFixture) throws -> RunDirectory {
        let runs = try fixture.runs()
        return RunDirectory(path: fixture.scratch.path("runs/\(try #require(runs.first))"))
    }

    private func checkAborted(_ fixture: RunFixture, reason: String) throws {
        let run = try onlyRun(of: fixture)
        #expect(try run.state().status == .aborted)
        #expect(try run.events(.runAborted).map { $0.data["reason"]?.string } == [reason])
        #expect(try run.events(.actionCancelled).map { $0.data["job"]?.string } == ["0001-prepare"])
        #expect(try run.events(.actionCompleted).map { $0.data["invocation"]?.string } == ["finally"])
        #expect(try run.events(.collectorStarted).isEmpty)
        #expect(FileSystem.exists(fixture.scratch.path("tidied")))
    }

    private func checkThatItGoesOn(_ fixture: RunFixture) async throws {
        let run = try onlyRun(of: fixture)
        let status = try await fixture.expect(0, "status")
        #expect(status.outputText.contains("0001-prepare") && status.outputText.contains("the setup actions run"))
        #expect(status.outputText.contains("ecr run follow"))
        try fixture.scratch.write("go", "")
        #expect(try await fixture.expect(0, "run", "follow").outputText == "preparing\n")
        try await fixture.expect(0, "run", "action", "hello")
        try await fixture.wait(for: "samples") { try run.state().jobs.contains { $0.samples > 0 } }
        let completed = try await fixture.expect(0, "run", "complete")
        #expect(completed.errorText.contains("complete: 100"))
    }

    // MARK: While setup runs

    @Test func ctrlCAtATerminalAsksAndLeavesTheRun() async throws {
        try await with { fixture in
            let start = try fixture.terminal("run", "start", "profile.yaml")
            try await start.waitForOutput("preparing")
            start.write([0x03])
            try await start.waitForOutput("leave it running [Enter]?")
            start.write(Array("\n".utf8))
            let result = try await start.wait()
            #expect(result.status == 130)
            #expect(
                result.outputText.contains("goes on in the background") && result.outputText.contains("ecr run follow"))
            try await checkThatItGoesOn(fixture)
        }
    }

    @Test func ctrlCAtATerminalAbortsWhenTold() async throws {
        try await with { fixture in
            let start = try fixture.terminal("run", "start", "profile.yaml")
            try await start.waitForOutput("preparing")
            start.write([0x03])
            try await start.waitForOutput("leave it running [Enter]?")
            start.write(Array("a\n".utf8))
            let result = try await start.wait()
            #expect(result.status == 130)
            #expect(result.outputText.contains("is aborted"))
            try checkAborted(fixture, reason: "Ctrl-C")
        }
    }

    @Test(arguments: [(2, 130, "Ctrl-C"), (15, 143, "SIGTERM")])
    func aSignalInCIAbortsTheRunAndTidiesUp(_ signal: Int32, _ status: Int32, _ reason: String) async throws {
        try await with { fixture in
            let start = try fixture.background("run", "start", "profile.yaml", environment: ["CI": "true"])
            try await start.waitForError("preparing")
            start.signal(signal)
            let result = try await start.wait()
            #expect(result.status == status)
            #expect(result.errorText.contains("is aborted"))
            #expect(result.outputText == "\(try onlyRun(of: fixture).id)\n")
            try checkAborted(fixture, reason: reason)
        }
    }

    @Test(arguments: [(2, 130), (15, 143)])
    func aSignalElsewhereLeavesTheRun(_ signal: Int32, _ status: Int32) async throws {
        try await with { fixture in
            let start = try fixture.background("run", "start", "profile.yaml")
            try await start.waitForError("preparing")
            start.signal(signal)
            let result = try await start.wait()
            #expect(result.status == status)
            #expect(result.errorText.contains("goes on in the background"))
            try await checkThatItGoesOn(fixture)
        }
    }

    @Test func aChoiceThatIsGivenIsNotAskedFor() async throws {
        try await with { fixture in
            let start = try fixture.background("run", "start", "profile.yaml", "--on-interrupt", "abort")
            try await start.waitForError("preparing")
            start.signal(2)
            #expect(try await start.wait().status == 130)
            try checkAborted(fixture, reason: "Ctrl-C")
        }
    }

    @Test func aClosedTerminalStopsNothing() async throws {
        try await with { fixture in
            let start = try fixture.terminal("run", "start", "profile.yaml")
            try await start.waitForOutput("preparing")
            start.signal(9)
            _ = try await start.wait()
            try await fixture.expect(0, "run", "use", try onlyRun(of: fixture).id)
            try await checkThatItGoesOn(fixture)
        }
    }

    @Test func otherCommandsReachTheRunWhileItIsSetUp() async throws {
        try await with { fixture in
            let start = try fixture.background("run", "start", "profile.yaml")
            try await start.waitForError("preparing")
            let run = try onlyRun(of: fixture)
            let busy = try await fixture.expect(75, "run", "complete", "--run", run.id)
            #expect(busy.errorText.contains("the setup actions still run"))
            let action = try fixture.background("run", "action", "hello", "--run", run.id)
            try await action.waitForError("the setup actions run; hello waits")
            try fixture.scratch.write("go", "")
            #expect(try await action.wait().outputText == "hello\n")
            #expect(try await start.wait().status == 0)
            let started = try run.events(.actionStarted).compactMap { $0.data["action"]?.string }
            #expect(started == ["prepare", "hello"])
        }
    }

    @Test func anAbortFromElsewhereEndsTheStart() async throws {
        try await with { fixture in
            let start = try fixture.background("run", "start", "profile.yaml")
            try await start.waitForError("preparing")
            try await fixture.expect(0, "run", "abort", "wrong board", "--run", try onlyRun(of: fixture).id)
            let result = try await start.wait()
            #expect(result.status == 1)
            #expect(result.errorText.contains("aborted while its setup ran"))
            try checkAborted(fixture, reason: "wrong board")
        }
    }

    // MARK: Before the target is connected

    /// A server that takes connections and never says a word.
    @Test func ctrlCWhileItConnectsLeavesNothing() async throws {
        try await RunFixture.with { fixture in
            let mute = try LoopbackSocket.listen(port: 0)
            let port = try LoopbackSocket.port(of: mute)
            try fixture.write("actions: {a: {commands: [\"true\"]}}", connection: ["port": "\(port)"])
            let start = try fixture.background("run", "start", "profile.yaml")
            try await fixture.wait(for: "the supervisor") {
                try fixture.runs().contains { id in
                    RunDirectory(path: fixture.scratch.path("runs/\(id)")).hasSupervisor()
                }
            }
            start.signal(2)
            let result = try await start.wait()
            #expect(result.status == 130)
            #expect(try fixture.runs() == [])
        }
    }

    /// Its command may be dying, and never get to it; and later the run's name may be another one's.
    @Test func aRunThatCameToNothingGoesWithoutItsCommand() async throws {
        try await RunFixture.with { fixture in
            let mute = try LoopbackSocket.listen(port: 0)
            try fixture.write(
                "actions: {a: {commands: [\"true\"]}}",
                connection: ["port": "\(try LoopbackSocket.port(of: mute))", "timeout": "4"])
            let start = try fixture.background("run", "start", "profile.yaml")
            try await fixture.wait(for: "the supervisor") {
                try fixture.runs().contains { RunDirectory(path: fixture.scratch.path("runs/\($0)")).hasSupervisor() }
            }
            start.signal(SIGSTOP)
            let run = try onlyRun(of: fixture)
            try await fixture.wait(for: "the removal of the run") { try fixture.runs() == [] }
            let witness = try fixture.scratch.write("runs/\(run.id)/witness", "")
            start.signal(SIGCONT)
            #expect(try await start.wait().status == 69)
            #expect(FileSystem.exists(witness))
        }
    }

    @Test func aTerminalThatIsClosedAtAQuestionLeavesNothing() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                "actions: {a: {commands: [\"true\"]}}",
                connection: ["known_hosts": "\"\(fixture.scratch.path("none"))\""])
            let start = try fixture.terminal("run", "start", "profile.yaml")
            try await start.waitForOutput(fixture.server.hostKeyFingerprint)
            let run = try onlyRun(of: fixture)
            start.signal(9)
            _ = try await start.wait()
            try await fixture.wait(for: "the supervisor's end") { !Processes.exist(withArgument: run.path) }
            #expect(try fixture.runs() == [])
            // A run that was there before stays.
            try await fixture.expect(0, "run", "create", "profile.yaml")
            let again = try fixture.terminal("run", "start")
            try await again.waitForOutput(fixture.server.hostKeyFingerprint)
            let created = try onlyRun(of: fixture)
            again.signal(9)
            _ = try await again.wait()
            try await fixture.wait(for: "the supervisor's end") { !Processes.exist(withArgument: created.path) }
            #expect(try created.state().status == .created)
        }
    }
}
