import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// States, steps that are refused, and ends.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LifecycleTests {
    @Test func aRunThatIsNotRunningTakesNoActions() async throws {
        try await RunFixture.with { fixture in
            let run = fixture.run(try await fixture.expect(0, "run", "create", "profile.yaml"))
            for arguments in [["run", "action", "hello"], ["run", "exec", "--", "true"], ["run", "complete"]] {
                let result = try await fixture.ecr(arguments)
                #expect(result.status == 64)
                #expect(result.errorText.contains("is created") && result.errorText.contains("ecr run start"))
            }
            try await fixture.expect(0, "run", "start")
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
            for arguments in [
                ["run", "action", "hello"], ["run", "complete"], ["run", "abort"], ["run", "start"], ["run", "resume"],
            ] {
                let result = try await fixture.ecr(arguments)
                #expect(result.status == 64, "\(arguments)")
                #expect(result.errorText.contains("is completed"))
            }
            #expect(try run.events(.runCompleted).count == 1)
        }
    }

    @Test func aLostSpoolIsAHoleAndNoHang() async throws {
        try await RunFixture.with { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "hello")
            try FileSystem.removeTree(try #require(try run.state().spool))
            let result = try await fixture.expect(1, "run", "complete")
            #expect(result.errorText.contains("the target's copy is gone"))
            #expect(try run.state().status == .completed)
        }
    }

    @Test func aHoleKeepsTheTargetsCopy() async throws {
        try await RunFixture.with { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "hello")
            let spool = try #require(try run.state().spool)
            let log = run.actionLog(job: "0001-hello", stream: "stdout")
            try FileSystem.replace(log, with: Array("jello\n".utf8))
            let result = try await fixture.expect(1, "run", "complete")
            #expect(result.errorText.contains("0001-hello stdout: the recorded bytes differ from the target's"))
            #expect(result.errorText.contains("the target's copy is kept in \(spool)"))
            #expect(try FileSystem.read("\(spool)/0001/stdout") == Array("hello\n".utf8))
        }
    }

    @Test func aLinkThatIsGivenUpLeavesTheRunInterrupted() async throws {
        try await RunFixture.with { fixture in
            try fixture.write(
                "actions: {hello: {commands: [\"echo hello\"]}}", connection: ["reconnect": "{give_up_after: 1s}"])
            let run = try await fixture.start()
            try await fixture.server.stop()
            try await fixture.wait(for: "the supervisor's end") { !run.hasSupervisor() }
            #expect(try await fixture.expect(0, "run", "status").outputText.contains("interrupted"))
            try await fixture.server.restart()
            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aPausedRunStartsNothing() async throws {
        try await RunFixture.with { fixture in
            let run = fixture.run(try await fixture.expect(0, "run", "create", "profile.yaml"))
            // As a supervisor that has died would have left it.
            do {
                let writer = try EventWriter(path: run.events)
                defer { writer.close() }
                try writer.appendBlocking(
                    .runStarted, ["target": "target", "spool": "/nonexistent/spool", "ecr": "0.1.0"])
                try writer.appendBlocking(.runPaused, ["running": []])
            }
            try await fixture.expect(0, "run", "resume")
            #expect(try run.state().status == .paused)
            let result = try await fixture.expect(64, "run", "action", "hello")
            #expect(result.errorText.contains("paused"))
            #expect(try run.events(.actionStarted).isEmpty)
            try await fixture.expect(0, "run", "abort")
        }
    }

    @Test func completeIsBusyWhileAnActionRuns() async throws {
        let sleep = Processes.uniqueSleep()
        try await RunFixture.with(profile: "actions: {slow: {commands: [\"echo up; sleep \(sleep)\"]}}") { fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "slow", "--detach")
            let busy = try await fixture.expect(75, "run", "complete")
            #expect(busy.errorText.contains("0001-slow") && busy.errorText.contains("--cancel-running"))
            #expect(try run.state().status == .running)
            try await fixture.expect(0, "run", "complete", "--cancel-running")
            #expect(!Processes.exist(withArgument: sleep))
            #expect(try run.events(.actionCancelled).count == 1)
            #expect(try run.state().status == .completed)
        }
    }

    @Test func completeWaitsWhenToldTo() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                "actions: {slow: {commands: [\"while [ ! -e '\(go)' ]; do sleep 0.05; done; echo done\"]}}")
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "slow", "--detach")
            let complete = try fixture.background("run", "complete", "--wait")
            // Nothing new starts meanwhile.
            try await fixture.wait(for: "the ending") {
                try await fixture.ecr("run", "exec", "--", "true").status == 64
            }
            #expect(complete.isRunning)
            try fixture.scratch.write("go", "")
            #expect(try await complete.wait().status == 0)
            #expect(try run.text("0001-slow") == "done\n")
        }
    }

    @Test func abortCancelsWhatRuns() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = """
            actions: {slow: {commands: ["echo up; sleep \(sleep)"]}}
            background_collectors: {load: {command: "cat /proc/loadavg", interval: 0.5}}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "slow")
            try await action.waitForOutput("up\n")
            try await fixture.wait(for: "the process") { Processes.exist(withArgument: sleep) }
            let aborted = try await fixture.expect(0, "run", "abort", "wrong", "firmware", "--json")
            #expect(try aborted.json()["state"]?.string == "aborted")
            #expect(try await action.wait().status == 130)
            #expect(!Processes.exist(withArgument: sleep))
            try await fixture.wait(for: "the supervisor's end") { !run.hasSupervisor() }
            let state = try run.state()
            #expect(state.status == .aborted)
            #expect(state.endReason == "wrong firmware")
            #expect(state.openJobs.isEmpty)
            #expect(try run.events(.actionCancelled).count == 1)
            #expect(try FileSystem.list(fixture.server.scratch.path("spool")).isEmpty)
        }
    }

    @Test func notesArePossibleAtAnyTime() async throws {
        try await RunFixture.with { fixture in
            let run = fixture.run(try await fixture.expect(0, "run", "create", "profile.yaml"))
            try await fixture.expect(0, "note", "before")
            try await fixture.expect(0, "run", "start")
            try await fixture.expect(0, "note", "dur\u{1B}ing")
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(0, "note", "after")
            #expect(try run.events(.note).map { $0.data["text"]?.string } == ["before", "dur\u{1B}ing", "after"])
            #expect(try run.state().status == .completed)
        }
    }

    @Test func collectorsAreStoppedAndStarted() async throws {
        let profile = """
            actions: {a: {commands: ["true"]}}
            background_collectors:
              ticks: {command: "echo tick", interval: 0.2}
              words: {stream: "echo one; echo two; sleep 1000", start: manual}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            try await fixture.expect(64, "run", "collector", "start", "ticks")
            try await fixture.expect(64, "run", "collector", "stop", "words")
            #expect(try await fixture.expect(64, "run", "collector", "start", "wrods").errorText.contains("words"))
            try await fixture.expect(0, "run", "collector", "start", "words")
            try await fixture.wait(for: "lines") { try run.state().jobs.last?.samples == 2 }
            try await fixture.expect(0, "run", "collector", "stop", "ticks")
            try await fixture.expect(0, "run", "collector", "start", "ticks")
            try await fixture.wait(for: "ticks") { try run.state().jobs.last?.samples ?? 0 >= 2 }
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            let jobs = try run.state().jobs
            #expect(jobs.map(\.id) == ["0001-ticks", "0002-words", "0003-ticks"])
            let rows = try run.events(.collectorOutput).filter { $0.data["collector"] == "words" }
                .flatMap { $0.data["rows"]?.array ?? [] }
            #expect(rows.map { $0["text"]?.string } == ["one", "two"])
            // One table for both jobs of a name.
            let table = String(decoding: try FileSystem.read(run.collectorRows("ticks")), as: UTF8.self)
            let samples = jobs.filter { $0.name == "ticks" }.reduce(0) { $0 + $1.samples }
            #expect(table.split(separator: "\n").count == Int(samples) + 1)
        }
    }
}
