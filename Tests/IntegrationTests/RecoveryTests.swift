import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What a run makes of a target that reboots, a spool that is lost, and a job that is left alone.
@Suite(
    .serialized, .timeLimit(.minutes(3)), .enabled("needs root and namespaces") { await TargetMachine.isAvailable() })
struct RecoveryTests {
    /// `prepare` fails as long as the file `broken` is there; every start of `count` leaves a line in `starts`.
    private func with(_ body: (RunFixture, RunDirectory) async throws -> Void) async throws {
        try await RunFixture.with(.init(place: .machine)) { fixture in
            let path = fixture.scratch.path("")
            try fixture.write(
                """
                setup: [prepare]
                actions:
                  prepare: {commands: ["echo prepared; [ ! -e '\(path)broken' ]"]}
                  count: {commands: ["echo start >>'\(path)starts'; echo before; sleep 3600"], retries: 2}
                  ok: {commands: ["echo ok"]}
                background_collectors:
                  load: {command: "cat /proc/loadavg", interval: 0.2}
                  manual: {command: "echo hi", interval: 1, start: manual}
                stages: [{name: s, actions: [ok, count, ok]}]
                """)
            try await body(fixture, try await fixture.start())
        }
    }

    @Test func aRebootIsFollowedBySetupAndCollectors() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "count")
            try await action.waitForOutput("before")
            try await fixture.server.reboot()
            // What was asked for meanwhile is held until setup has succeeded.
            let next = try fixture.background("run", "action", "ok")
            #expect(try await action.wait().status == 79)
            #expect(try await next.wait().outputText == "ok\n")
            let unknown = try #require(try run.events(.actionUnknown).first?.data)
            #expect(unknown["reason"]?.string == "the target was rebooted")
            #expect(unknown["last_seen"]?.string != nil)
            #expect(try run.text("0003-count") == "before\n")
            // Never on its own a second time, although it has retries.
            #expect(try fixture.scratch.read("starts") == "start\n")

            try await fixture.wait(for: "the collector") { try run.state().openJobs.contains { $0.name == "load" } }
            let types = try run.allEvents().map(\.type)
            let reboot = try #require(types.firstIndex(of: .targetRebooted))
            let setups = try run.events(.actionCompleted).filter { $0.data["action"]?.string == "prepare" }
            #expect(setups.count == 2 && setups[1].seq > Int64(reboot))
            let ok = try #require(try run.events(.actionStarted).first { $0.data["action"]?.string == "ok" })
            #expect(ok.seq > setups[1].seq)
            #expect(try run.state().jobs.filter { $0.name == "load" }.map(\.outcome) == [.unknown, .running])
            // One that did not run is not started.
            #expect(try run.state().jobs.allSatisfy { $0.name != "manual" })
            let connections = try run.events(.targetFacts).filter { $0.data["at"]?.string == "connect" }
            #expect(try connections.count == 2 && run.events(.clockOffset).count >= 2)

            let completed = try await fixture.expect(1, "run", "complete")
            #expect(completed.errorText.contains("0003-count: its outcome is unknown"))
        }
    }

    @Test func aStageEndsWithTheRebootAndHoldsNothingUp() async throws {
        try await with { fixture, run in
            let stage = try fixture.background("run", "stage", "s")
            try await stage.waitForOutput("before")
            try await fixture.server.reboot()
            let result = try await stage.wait()
            #expect(result.status == 79)
            #expect(result.errorText.contains("not run: ok"))
            #expect(try await fixture.expect(0, "run", "action", "ok").outputText == "ok\n")
        }
    }

    @Test func aSetupThatFailsAfterTheRebootHoldsTheNextAction() async throws {
        try await with { fixture, run in
            try fixture.scratch.write("broken", "")
            try await fixture.server.reboot()
            try await fixture.wait(for: "the hold") {
                try await fixture.expect(0, "status", "--json").json()["held"]?.string?.contains("failed") == true
            }
            let refused = try await fixture.expect(64, "run", "action", "ok")
            #expect(refused.errorText.contains("setup action prepare failed: exit 1 after the target's reboot"))
            #expect(refused.errorText.contains("ecr run resume"))
            // What mends it is possible.
            #expect(try await fixture.expect(0, "run", "exec", "--", "echo", "mended").outputText == "mended\n")
            try await fixture.expect(1, "run", "resume")
            try FileSystem.removeTree(fixture.scratch.path("broken"))
            try await fixture.expect(0, "run", "resume")
            #expect(try await fixture.expect(0, "run", "action", "ok").outputText == "ok\n")
            try await fixture.wait(for: "the collector") { try run.state().openJobs.contains { $0.name == "load" } }
        }
    }

    @Test func aSpoolInMemoryIsMadeAnew() async throws {
        try await with { fixture, run in
            let first = try #require(try run.state().spool)
            try await fixture.server.reboot(losing: [fixture.server.scratch.path("spool")])
            #expect(try await fixture.expect(0, "run", "action", "ok").outputText == "ok\n")
            let second = try #require(try run.state().spool)
            #expect(first != second)
            let made = try #require(try run.events(.spoolMade).first?.data)
            #expect(made["lost"]?.string == first && made["spool"]?.string == second)
        }
    }

    @Test func aRebootWhileNobodyLooksIsFoundByTheResume() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "count")
            try await action.waitForOutput("before")
            try await fixture.killSupervisor(of: run)
            try await fixture.server.reboot()
            try await fixture.expect(0, "run", "resume")
            #expect(try await fixture.expect(0, "run", "action", "ok").outputText == "ok\n")
            #expect(try run.state().job("0003-count")?.outcome == .unknown)
            #expect(try fixture.scratch.read("starts") == "start\n")
            #expect(try run.events(.targetRebooted).count == 1)
            #expect(try run.state().jobs.filter { $0.name == "prepare" }.map(\.outcome) == [.completed, .completed])
        }
    }

    @Test func aDeletedSpoolEndsWhatRanInItAndIsMadeAnew() async throws {
        try await with { fixture, run in
            try FileSystem.removeTree(try #require(try run.state().spool))
            let lost = try await fixture.ecr("run", "action", "ok")
            if lost.status == 79 {
                #expect(lost.errorText.contains("the spool on the target is gone"))
            } else {
                // The collector has noticed it first, and the action found the new one.
                let started = try #require(try run.events(.actionStarted).last { $0.data["action"] == "ok" })
                let made = try #require(try run.events(.spoolMade).first)
                #expect(lost.status == 0 && made.seq < started.seq, "\(lost.errorText)")
            }
            try await fixture.wait(for: "a new spool") { try run.events(.spoolMade).count == 1 }
            #expect(try await fixture.expect(0, "run", "action", "ok").outputText == "ok\n")
            // On a busy machine it may begin once more in what is just being taken away.
            try await fixture.wait(for: "the collector") {
                let outcomes = try run.state().jobs.filter { $0.name == "load" }.map(\.outcome)
                return outcomes.first == .unknown && outcomes.last == .running
                    && outcomes.dropLast().allSatisfy { $0 == .unknown }
            }
            // No setup: the target itself is as it was.
            #expect(try run.state().jobs.filter { $0.name == "prepare" }.count == 1)
        }
    }
}

/// The dead man's switch.
@Suite(.timeLimit(.minutes(2))) struct UnreachableTests {
    @Test func theTargetEndsAnActionThatItsControllerHasLeft() async throws {
        let sleep = Processes.uniqueSleep()
        let profile = "actions: {drive: {commands: [\"echo up; sleep \(sleep)\"], stop_if_unreachable: 5s}}"
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "drive")
            try await action.waitForOutput("up")
            // As long as the controller is there it goes on, however long.
            try await Task.sleep(for: .seconds(7))
            #expect(Processes.exist(withArgument: sleep))
            try await fixture.server.stop()
            try await fixture.wait(for: "the action's end") { !Processes.exist(withArgument: sleep) }
            try await fixture.server.restart()
            let result = try await action.wait()
            #expect(result.status == 1)
            #expect(result.errorText.contains("ended by the target"))
            let failed = try #require(try run.events(.actionFailed).first?.data)
            #expect(failed["reason"]?.string == "unreachable" && failed["death"]?.string == "confirmed")
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100 %"))
        }
    }
}
