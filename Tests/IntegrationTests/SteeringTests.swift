import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What an operator does to a run that goes on: stages, turns, pause, cancel, parameters, another address.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SteeringTests {
    /// `hold` runs until the file `go` is there.
    private func profile(_ fixture: RunFixture) -> String {
        let go = fixture.scratch.path("go")
        return """
            parameters: {size: {type: int, default: 1, max: 9}, word: {default: hi, choices: [hi, ho]}}
            actions:
              hold: {commands: ["echo holding; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo let go"]}
              say: {commands: ["echo {word} {size}"]}
              fail: {commands: ["exit 3"], retries: 1}
              forever: {commands: ["echo up; sleep 3600"]}
            background_collectors: {load: {command: "cat /proc/loadavg", interval: 0.2}}
            stages:
              - {name: good, actions: [say, hold, say]}
              - {name: bad, actions: [say, fail, hold]}
            """
    }

    private func with(_ body: (RunFixture, RunDirectory) async throws -> Void) async throws {
        try await RunFixture.with { fixture in
            try fixture.write(profile(fixture))
            try await body(fixture, try await fixture.start())
        }
    }

    // MARK: Stages

    @Test func aStageRunsItsActionsInOrderAsOneTurn() async throws {
        try await with { fixture, run in
            let stage = try fixture.background("run", "stage", "good", "-p", "size=4")
            try await stage.waitForOutput("holding")
            let other = try fixture.background("run", "action", "say", "-p", "size=7")
            try await other.waitForError("say waits for 0003-hold to end")
            let busy = try await fixture.expect(75, "run", "action", "say", "--no-wait")
            #expect(busy.errorText.contains("0003-hold still runs"))
            try fixture.scratch.write("go", "")
            let result = try await stage.wait()
            #expect(result.status == 0)
            #expect(result.outputText == "hi 4\nholding\nlet go\nhi 4\n")
            #expect(result.errorText.contains("stage good completed"))
            // The other action came in between, but its turn is behind the whole stage.
            #expect(try await other.wait().outputText == "hi 7\n")
            let stages = try run.allEvents().filter { $0.data["stage"]?.string == "good" }.map(\.type.rawValue)
            #expect(
                stages == [
                    "stage_started", "action_started", "action_completed", "action_started", "action_completed",
                    "action_started", "action_completed", "stage_completed",
                ])
            #expect(try run.state().stages.map(\.outcome) == [.completed])
            #expect(try run.state().job("0002-say")?.stage == "good")
        }
    }

    @Test func aStageStopsAtTheFirstFailure() async throws {
        try await with { fixture, run in
            let result = try await fixture.expect(1, "run", "stage", "bad", "--json")
            let json = try result.json()
            #expect(json["outcome"]?.string == "failed")
            #expect(json["not_run"]?.array?.compactMap(\.string) == ["hold"])
            #expect(result.errorText.contains("not run: hold"))
            let failed = try #require(try run.events(.stageFailed).first)
            #expect(failed.data["reason"]?.string == "fail failed")
            #expect(try run.events(.actionRetry).count == 1)
        }
    }

    @Test func whatAStageCannotDoIsRefusedBeforeAnythingStarts() async throws {
        try await with { fixture, run in
            let unknown = try await fixture.expect(64, "run", "stage", "god")
            #expect(unknown.errorText.contains("no stage 'god'") && unknown.errorText.contains("good"))
            let wrong = try await fixture.expect(64, "run", "stage", "good", "-p", "size=99", "-p", "other=1")
            #expect(wrong.errorText.contains("at most 9") && wrong.errorText.contains("no parameter 'other'"))
            #expect(try run.events(.stageStarted).isEmpty)
        }
    }

    // MARK: Ends

    @Test func anEndThatIsUnderWayIsShown() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "hold")
            try await action.waitForOutput("holding")
            #expect(try await fixture.expect(0, "status", "--json").json()["ending"] == .null)
            let complete = try fixture.background("run", "complete", "--wait")
            try await fixture.wait(for: "the completion") {
                try await fixture.expect(0, "status", "--json").json()["ending"]?["kind"]?.string == "completing"
            }
            let ending = try #require(try await fixture.expect(0, "status", "--json").json()["ending"])
            #expect(ending["waits_for"]?.array?.compactMap(\.string) == ["0002-hold"])
            #expect(Clock.microseconds(iso8601: ending["since"]?.string ?? "") != nil)
            let status = try await fixture.expect(0, "status").outputText
            #expect(status.contains("completing for ") && status.contains("; waits for 0002-hold"), "\(status)")
            #expect(status.contains("ecr run follow, or ecr run cancel"), "\(status)")
            try fixture.scratch.write("go", "")
            #expect(try await action.wait().status == 0)
            #expect(try await complete.wait().status == 0)
            #expect(try await fixture.expect(0, "status", "--json").json()["ending"] == .null)
        }
    }

    /// It is the supervisor's.
    @Test func aCompletionGoesOnBehindCtrlC() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "hold")
            try await action.waitForOutput("holding")
            let complete = try fixture.background("run", "complete", "--wait")
            try await fixture.wait(for: "the completion") {
                try await fixture.expect(0, "status", "--json").json()["ending"] != .null
            }
            complete.signal(SIGINT)
            let left = try await complete.wait()
            #expect(left.status == 130)
            #expect(
                left.errorText.contains(
                    "the completion of run \(run.id) goes on; `ecr run status` shows how it stands, "
                        + "`ecr run events --follow` waits for its end"), "\(left.errorText)")
            let waiting = try fixture.background("run", "events", "--follow")
            try fixture.scratch.write("go", "")
            #expect(try await action.wait().status == 0)
            #expect(try await waiting.wait().status == 0)
            #expect(try run.state().status == .completed)
        }
    }

    // MARK: Turns

    @Test func anActionThatHasNotBegunIsWithdrawnByCtrlC() async throws {
        try await with { fixture, run in
            let first = try fixture.background("run", "action", "hold")
            try await first.waitForOutput("holding")
            let second = try fixture.background("run", "action", "say")
            try await second.waitForError("waits for")
            second.signal(2)
            let result = try await second.wait()
            #expect(result.status == 130)
            #expect(result.errorText.contains("withdrawn before its turn came"))
            try await fixture.wait(for: "the withdrawal") {
                try await fixture.expect(0, "status", "--json").json()["waiting"]?.array?.isEmpty == true
            }
            try fixture.scratch.write("go", "")
            #expect(try await first.wait().status == 0)
            try await fixture.expect(0, "run", "complete")
            #expect(try run.events(.actionStarted).count == 1)
        }
    }

    @Test func anAskForNoWaitingBeginsAtOnceWhereNothingRuns() async throws {
        try await with { fixture, _ in
            let action = try await fixture.expect(0, "run", "action", "say", "--no-wait")
            #expect(action.outputText == "hi 1\n")
            let stage = try await fixture.expect(1, "run", "stage", "bad", "--no-wait")
            #expect(stage.outputText == "hi 1\n")
        }
    }

    // MARK: Pause

    @Test func aPauseHoldsTheNextActionOfAStage() async throws {
        try await with { fixture, run in
            let stage = try fixture.background("run", "stage", "good")
            try await stage.waitForOutput("holding")
            let paused = try await fixture.expect(0, "run", "pause", "changing", "the", "battery")
            #expect(paused.errorText.contains("0003-hold goes on"))
            let status = try await fixture.expect(0, "status")
            #expect(status.outputText.contains("paused: changing the battery"))
            #expect(status.outputText.contains("next       ecr run resume"))
            for refused in [["run", "action", "say"], ["run", "exec", "--", "true"], ["run", "stage", "good"]] {
                let result = try await fixture.ecr(refused)
                #expect(result.status == 64)
                #expect(
                    result.errorText.contains("changing the battery") && result.errorText.contains("ecr run resume"))
            }
            try fixture.scratch.write("go", "")
            try await stage.waitForError("the run is paused; say waits")
            #expect(try run.events(.actionStarted).count == 2)
            try await fixture.expect(0, "run", "resume")
            #expect(try await stage.wait().status == 0)
            #expect(try run.events(.runResumed).first?.data["from"]?.string == "paused")
            #expect(try await fixture.expect(64, "run", "resume").errorText.contains("not paused"))
        }
    }

    @Test func aPausedRunWhoseSupervisorDiesResumesPausedAndCompletes() async throws {
        try await with { fixture, run in
            try await fixture.expect(0, "run", "pause", "lunch")
            try await fixture.killSupervisor(of: run)
            #expect(try await fixture.expect(0, "status").outputText.contains("interrupted"))
            let resumed = try await fixture.expect(0, "run", "resume")
            #expect(resumed.errorText.contains("the run is paused"))
            try await fixture.expect(64, "run", "action", "say")
            // A paused run can be completed without being resumed.
            try await fixture.expect(0, "run", "complete")
            #expect(try run.state().status == .completed)
        }
    }

    // MARK: Cancel

    @Test func aCancelledJobIsDeadAndRecorded() async throws {
        let sleep = Processes.uniqueSleep()
        try await RunFixture.with(
            profile:
                "actions: {slow: {commands: [\"echo up; sleep \(sleep)\"], retries: 3}, quick: {commands: [\"true\"]}}"
        ) { fixture in
            let run = try await fixture.start()
            #expect(try await fixture.expect(64, "run", "cancel").errorText.contains("nothing runs"))
            let action = try fixture.background("run", "action", "slow")
            try await action.waitForOutput("up")
            let exec = try fixture.background("run", "exec", "--", "sleep 3600")
            try await fixture.wait(for: "the exec") { try run.state().openJobs.count == 2 }
            let several = try await fixture.expect(64, "run", "cancel")
            #expect(several.errorText.contains("0001-slow") && several.errorText.contains("0002-exec"))
            #expect(try await fixture.expect(64, "run", "cancel", "slaw").errorText.contains("no running job 'slaw'"))
            let cancelled = try await fixture.expect(0, "run", "cancel", "slow")
            #expect(cancelled.errorText.contains("slow cancelled"))
            #expect(!Processes.exist(withArgument: sleep))
            #expect(try await action.wait().status == 130)
            let event = try #require(try run.events(.actionCancelled).first)
            #expect(event.data["death"]?.string == "confirmed")
            // It is not tried again.
            #expect(try run.events(.actionRetry).isEmpty)
            try await fixture.expect(0, "run", "cancel", "--json")
            #expect(try await exec.wait().status == 130)
            try await fixture.expect(0, "run", "action", "quick")
        }
    }

    @Test func aCancelledStageSaysWhatWasNotRun() async throws {
        try await with { fixture, run in
            let stage = try fixture.background("run", "stage", "good")
            try await stage.waitForOutput("holding")
            try await fixture.expect(0, "run", "cancel")
            let result = try await stage.wait()
            #expect(result.status == 130)
            #expect(result.errorText.contains("stage good failed: hold cancelled"))
            #expect(result.errorText.contains("not run: say"))
        }
    }

    // MARK: Parameters

    @Test func aParameterCountsFromTheNextActionOn() async throws {
        try await with { fixture, run in
            try await fixture.expect(0, "run", "param", "set", "size=5", "word=ho")
            #expect(try await fixture.expect(0, "run", "action", "say").outputText == "ho 5\n")
            #expect(try await fixture.expect(0, "run", "action", "say", "-p", "size=2").outputText == "ho 2\n")
            let refused = try await fixture.expect(64, "run", "param", "set", "size=10", "wrod=x")
            #expect(refused.errorText.contains("at most 9") && refused.errorText.contains("did you mean 'word'"))
            #expect(try run.events(.parameterSet).count == 2)
            try await fixture.killSupervisor(of: run)
            // Possible without a supervisor, too, and with the same checks.
            try await fixture.expect(0, "run", "param", "set", "size=8")
            try await fixture.expect(64, "run", "param", "set", "size=many")
            let list = try await fixture.expect(0, "run", "param", "list", "--json").json()
            #expect(list["parameters"]?.array?.first?["value"]?.string == "8")
            let table = try await fixture.expect(0, "run", "param", "list").outputText
            #expect(table.contains("size") && table.contains("one of hi, ho"))
            try await fixture.expect(0, "run", "resume")
            #expect(try await fixture.expect(0, "run", "action", "say").outputText == "ho 8\n")
            let previous = try run.events(.parameterSet).last?.data["previous"]?.string
            #expect(previous == "5")
        }
    }

    // MARK: Another address

    @Test func aReconnectFollowsTheTargetToAnotherAddress() async throws {
        try await with { fixture, run in
            #expect(try await fixture.expect(0, "run", "reconnect").errorText.contains("stands already"))
            let port = fixture.server.port
            try await fixture.expect(0, "run", "reconnect", "--host", "localhost:\(port)")
            #expect(try run.state().connection["host"]?.string == "localhost")
            try await fixture.expect(0, "run", "action", "say")
            // A resume finds the target at its new address.
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            #expect(try run.state().connection["host"]?.string == "localhost")
            // Something else that answers there is not the target.
            let stranger = try await SSHServer.start()
            let refused = try await fixture.expect(77, "run", "reconnect", "--host", "127.0.0.1:\(stranger.port)")
            #expect(refused.errorText.contains("is not the pinned one"))
            let dead = try await fixture.expect(69, "run", "reconnect", "--host", "127.0.0.1:1")
            #expect(dead.errorText.contains("Connection refused") || dead.errorText.contains("connection refused"))
            // Neither has cost the connection.
            #expect(try await fixture.expect(0, "status", "--json").json()["connected"]?.bool == true)
            try await fixture.expect(0, "run", "complete")
            try await fixture.expect(64, "run", "reconnect", "--host", "a:b:")
        }
    }

    @Test func aReconnectDoesNotWaitForTheNextAttempt() async throws {
        try await with { fixture, run in
            try await fixture.server.stop()
            try await fixture.wait(for: "retries") { try run.events(.connectionRetry).count >= 3 }
            let refused = try await fixture.expect(69, "run", "reconnect")
            #expect(refused.errorText.contains("cannot reach"))
            try await fixture.server.restart()
            try await fixture.expect(0, "run", "reconnect")
            #expect(try await fixture.expect(0, "run", "action", "say").outputText == "hi 1\n")
            #expect(try await fixture.expect(0, "run", "complete").errorText.contains("complete: 100 %"))
        }
    }

    // MARK: Two ends

    @Test func anAbortDoesNotComeBetweenACompletion() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "forever")
            try await action.waitForOutput("up")
            let complete = try fixture.background("run", "complete", "--wait")
            try await fixture.wait(for: "the ending") {
                try await fixture.ecr("run", "action", "say").errorText.contains("is ending")
            }
            let refused = try await fixture.expect(75, "run", "abort")
            #expect(refused.errorText.contains("waits for 0002-forever"))
            #expect(refused.errorText.contains("ecr run cancel 0002-forever"))
            try await fixture.expect(0, "run", "cancel", "0002-forever")
            #expect(try await complete.wait().status == 0)
            #expect(try run.state().status == .completed)
            #expect(try await action.wait().status == 130)
        }
    }

    // MARK: Another controller

    @Test func aTargetOfAnotherControllerIsSharedOrTakenOverOpenly() async throws {
        try await RunFixture.with { fixture in
            let spools = fixture.server.scratch.path("spool")
            try FileSystem.makeDirectories("\(spools)/00000000deadbeef")
            let lock = "lock 1 0123456789abcdef you@bench 2026-01-27T14:30:52Z end\n"
            try FileSystem.replace("\(spools)/lock", with: Array(lock.utf8))
            let refused = try await fixture.expect(75, "run", "start", "profile.yaml")
            #expect(refused.errorText.contains("in use by you@bench since 2026-01-27T14:30:52Z"))
            #expect(refused.errorText.contains("--share") && refused.errorText.contains("--take-over"))
            #expect(try fixture.runs().isEmpty)

            let shared = try await fixture.start("--share")
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
            let holder = "you@bench since 2026-01-27 14:30:52 UTC"
            #expect(try shared.events(.runStarted).first?.data["shared_with"]?.string == holder)
            // The other's lock and spool are as they were.
            #expect(try FileSystem.read("\(spools)/lock") == Array(lock.utf8))
            #expect(FileSystem.exists("\(spools)/00000000deadbeef"))

            let taken = try await fixture.start("--take-over")
            #expect(try taken.events(.runStarted).first?.data["taken_from"]?.string == holder)
            #expect(try FileSystem.read("\(spools)/lock") != Array(lock.utf8))
            try await fixture.expect(0, "run", "complete")
            #expect(FileSystem.exists("\(spools)/00000000deadbeef"))
            try await fixture.expect(64, "run", "start", "profile.yaml", "--share", "--take-over")
        }
    }

    // MARK: Without the target

    @Test func aRunCompletedWithoutItsTargetIsDrainedLater() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "hold")
            try await action.waitForOutput("holding")
            try await fixture.wait(for: "samples") { try run.state().job("0001-load")?.samples ?? 0 > 0 }
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            #expect(try await fixture.expect(69, "run", "complete").errorText.contains("--without-target"))
            let completed = try await fixture.expect(1, "run", "complete", "--without-target")
            #expect(
                completed.errorText.contains("complete: not known") && completed.errorText.contains("ecr run drain"))
            #expect(try await action.wait().status == 79)
            #expect(try run.state().status == .completed)
            #expect(try await fixture.expect(0, "status").outputText.contains("next       ecr run drain"))
            try await fixture.expect(69, "run", "drain")
            // The target is back, and the action still runs: the drain waits for it.
            try await fixture.server.restart()
            let drain = try fixture.background("run", "drain")
            try await drain.waitForError("fetching 0002-hold")
            try fixture.scratch.write("go", "")
            let drained = try await drain.wait()
            #expect(drained.status == 0)
            #expect(drained.errorText.contains("complete: 100 %"))
            let state = try run.state()
            #expect(state.status == .completed && !state.isConnected)
            #expect(state.job("0002-hold")?.outcome == .completed)
            #expect(state.job("0001-load")?.outcome == .stopped)
            #expect(try run.text("0002-hold") == "holding\nlet go\n")
            #expect(!FileSystem.exists(try #require(state.spool)))
            #expect(try await fixture.expect(0, "run", "drain").errorText.contains("nothing to fetch"))
            #expect(try await fixture.expect(0, "run", "follow", "0002-hold").outputText == "holding\nlet go\n")
        }
    }

    @Test func whatACompletionWithoutItsTargetLeavesOutIsSaid() async throws {
        try await RunFixture.with(profile: "actions: {tidy: {commands: [\"true\"]}}\nfinally: [tidy]") { fixture in
            let run = try await fixture.start()
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            let completed = try await fixture.expect(1, "run", "complete", "--without-target")
            #expect(completed.errorText.contains("`finally:` was skipped, it needs the target: tidy"))
            #expect(completed.errorText.contains("next: ecr run drain \(run.id), as soon as"))
            #expect(
                try run.events(.runCompleted).first?.data["finally_skipped"]?.array?.compactMap(\.string) == ["tidy"])
        }
    }

    @Test func withTwoLiveRunsADrainMustNameItsRun() async throws {
        try await RunFixture.with { fixture in
            let ended = try await fixture.start("--name", "ended")
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try ended.events(.connectionLost).count == 1 }
            try await fixture.expect(1, "run", "complete", "--without-target")
            try await fixture.server.restart()
            let live = [try await fixture.start("--name", "one"), try await fixture.start("--name", "two")]
            try await fixture.expect(0, "run", "use", ended.id)
            let refused = try await fixture.expect(64, "run", "drain")
            #expect(live.allSatisfy { refused.errorText.contains($0.id) })
            try await fixture.expect(0, "run", "drain", ended.id)
        }
    }

    @Test func aDrainMayCancelWhatStillRuns() async throws {
        try await with { fixture, run in
            let action = try fixture.background("run", "action", "forever")
            try await action.waitForOutput("up")
            try await fixture.server.stop()
            try await fixture.wait(for: "the loss") { try run.events(.connectionLost).count == 1 }
            try await fixture.expect(1, "run", "complete", "--without-target")
            try await fixture.server.restart()
            let drained = try await fixture.expect(0, "run", "drain", "--cancel-running", "--json").json()
            #expect(drained["complete_percent"]?.int == 100)
            #expect(try run.state().job("0002-forever")?.outcome == .cancelled)
        }
    }

    @Test func onlyACompletedRunIsDrained() async throws {
        try await with { fixture, _ in
            let refused = try await fixture.expect(64, "run", "drain")
            #expect(refused.errorText.contains("is running"))
        }
    }
}
