import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What a job and its record make of a dead supervisor and of a cut link.
@Suite(.serialized, .timeLimit(.minutes(3))) struct InterruptionTests {
    private struct Scenario {
        let fixture: RunFixture
        var go: String { fixture.scratch.path("go") }
        var starts: String { fixture.scratch.path("starts") }

        static let whole = (1...3000).map { "line \($0) ü\n" }.joined()

        /// Notes its start, writes the first half, waits for the word, writes the second.
        func write() throws {
            try fixture.write(
                """
                actions:
                  count:
                    commands:
                      - |
                        echo start >>'\(starts)'
                        i=1; while [ $i -le 1500 ]; do echo "line $i ü"; i=$((i+1)); done; echo half >&2
                        while [ ! -e '\(go)' ]; do sleep 0.05; done
                        while [ $i -le 3000 ]; do echo "line $i ü"; i=$((i+1)); done; echo done >"$ECR_OUT/done"
                background_collectors: {load: {command: "cat /proc/loadavg", interval: 0.2}}
                """)
        }

        func checkRecord(of run: RunDirectory) throws {
            #expect(try run.text("0002-count") == Self.whole)
            #expect(try run.text("0002-count", "stderr") == "half\n")
            #expect(try fixture.scratch.read("starts") == "start\n")
            #expect(try run.events(.actionStarted).count == 1)
            #expect(
                try run.allEvents().filter { EventType.actionEnds.contains($0.type) }.map(\.type) == [.actionCompleted])
            #expect(try run.events(.artifactPulled).count == 1)
            let ticks = try run.events(.collectorOutput).flatMap { $0.data["rows"]?.array ?? [] }.compactMap {
                $0["tick"]?.int
            }
            #expect(ticks == ticks.sorted() && Set(ticks).count == ticks.count)
        }
    }

    @Test func aKilledSupervisorLosesNothing() async throws {
        try await RunFixture.with { fixture in
            let scenario = Scenario(fixture: fixture)
            try scenario.write()
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForError("half")
            try await fixture.wait(for: "samples") { try run.state().job("0001-load")?.samples ?? 0 > 0 }

            try await fixture.killSupervisor(of: run)
            #expect(try await action.wait().status == 79)
            let status = try await fixture.expect(0, "status", "--json").json()
            #expect(status["state"]?.string == "interrupted")
            #expect(status["next"]?.string == "ecr run resume")
            #expect(try await fixture.expect(0, "status").errorText == "")
            for arguments in [["run", "action", "count"], ["run", "complete"], ["run", "start"]] {
                let refused = try await fixture.ecr(arguments)
                #expect(refused.status == 64)
                #expect(refused.errorText.contains("ecr run resume"))
            }
            // A note is possible, and finds out about the interruption.
            try await fixture.expect(0, "note", "power was out")

            try await fixture.expect(0, "run", "resume")
            let follower = try fixture.background("run", "follow")
            try fixture.scratch.write("go", "")
            #expect(try await follower.wait().status == 0)
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            try scenario.checkRecord(of: run)
            #expect(try run.events(.runInterrupted).count == 1)
            #expect(try run.events(.runResumed).count == 1)
            #expect(try run.events(.note).count == 1)
        }
    }

    @Test func aJobThatEndedMeanwhileIsRecordedOnResume() async throws {
        try await RunFixture.with { fixture in
            let scenario = Scenario(fixture: fixture)
            try scenario.write()
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForError("half")
            try await fixture.killSupervisor(of: run)
            _ = try await action.wait()
            try fixture.scratch.write("go", "")
            let spool = try #require(try run.state().spool)
            try await fixture.wait(for: "the job's end") { FileSystem.exists("\(spool)/0002/exit") }

            try await fixture.expect(0, "run", "resume")
            try await fixture.expect(0, "run", "follow")
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            try scenario.checkRecord(of: run)
        }
    }

    @Test func aResumeThatFailsCanBeRepeated() async throws {
        try await RunFixture.with { fixture in
            let scenario = Scenario(fixture: fixture)
            try scenario.write()
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForError("half")
            try await fixture.killSupervisor(of: run)
            _ = try await action.wait()
            try await fixture.server.stop()
            try await fixture.expect(69, "run", "resume")
            let status = try await fixture.expect(0, "status", "--json").json()
            #expect(status["state"]?.string == "interrupted")
            try await fixture.server.restart()
            // Killed once more, in the middle of the reattached job.
            try await fixture.expect(0, "run", "resume")
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            try fixture.scratch.write("go", "")
            try await fixture.expect(0, "run", "follow")
            try await fixture.expect(0, "run", "complete")
            try scenario.checkRecord(of: run)
        }
    }

    @Test func anInterruptedRunIsAbortedWithoutItsTarget() async throws {
        let sleep = Processes.uniqueSleep()
        try await RunFixture.with(profile: "actions: {slow: {commands: [\"echo up; sleep \(sleep)\"], timeout: 20}}") {
            fixture in
            let run = try await fixture.start()
            try await fixture.expect(0, "run", "action", "slow", "--detach")
            try await fixture.wait(for: "the process") { Processes.exist(withArgument: sleep) }
            try await fixture.killSupervisor(of: run)
            try await fixture.server.stop()
            try await fixture.expect(0, "run", "abort", "lost")
            #expect(try run.state().status == .aborted)
            #expect(try run.events(.actionUnknown).map { $0.data["job"]?.string } == ["0001-slow"])
            for id in Processes.ids(withArgument: sleep) { Processes.kill(id) }
        }
    }

    @Test func aCutLinkLosesNothing() async throws {
        try await RunFixture.with { fixture in
            let scenario = Scenario(fixture: fixture)
            try scenario.write()
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForError("half")

            fixture.server.killConnections()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            try await fixture.wait(for: "the way back") { try run.events(.connectionEstablished).count == 2 }
            try fixture.scratch.write("go", "")
            let result = try await action.wait()
            #expect(result.status == 0)
            #expect(result.outputText == Scenario.whole)
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100"))
            try scenario.checkRecord(of: run)
        }
    }

    @Test func aServerThatIsGoneForAWhileIsWaitedFor() async throws {
        try await RunFixture.with { fixture in
            let scenario = Scenario(fixture: fixture)
            try scenario.write()
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "count")
            try await action.waitForError("half")

            try await fixture.server.stop()
            try await fixture.wait(for: "retries") { try run.events(.connectionRetry).count >= 2 }
            let status = try await fixture.expect(0, "status", "--json").json()
            #expect(status["connected"]?.bool == false)
            #expect(status["state"]?.string == "running")
            try await fixture.expect(0, "note", "cable is out")
            // The job goes on and ends while nobody can reach it.
            try fixture.scratch.write("go", "")
            try await fixture.server.restart()
            let result = try await action.wait()
            #expect(result.status == 0)
            #expect(result.outputText == Scenario.whole)
            try await fixture.expect(0, "run", "complete")
            try scenario.checkRecord(of: run)
        }
    }
}
