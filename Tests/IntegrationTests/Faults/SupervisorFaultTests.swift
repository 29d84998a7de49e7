import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// A supervisor that is killed, stopped or missing, and operators that are too fast for it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SupervisorFaultTests {
    private func pid(of run: RunDirectory) throws -> Int32 {
        try #require(Processes.ids(withArgument: run.path).first)
    }

    // MARK: Killed

    /// SQLite's way: it dies at its first call, at its second, and so on until an action has gone through. That is before
    /// and behind the intent, the launch, the output, the artifact and the end.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() }, arguments: ["fdatasync", "fsync"])
    func aDeathAtAnySyncLosesNothing(_ call: String) async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "collector", "stop", "load")
            var deaths = 0
            while true {
                let fault = try SystemCallFaults(call, .death, when: "\(deaths + 1)")
                let tracer = try await fault.attach(to: try pid(of: run))
                let action = try await bench.fixture.ecr("run", "action", "quick")
                if action.status == 0 { tracer.signal(SIGINT) }
                _ = try await tracer.wait()
                guard fault.hasStruck else { break }
                deaths += 1
                // It may die of an event of its own, before the action is asked for.
                #expect([79, 75, 64].contains(action.status), "\(action.errorText)")
                try await bench.fixture.wait(for: "the supervisor's death") { !run.hasSupervisor() }
                try await bench.note("death \(deaths)")
                try await bench.fixture.expect(0, "run", "resume")
                for job in try run.state().openJobs {
                    let end = try await bench.fixture.expect(0, "run", "follow", job.id)
                    #expect(end.outputText == "hello from \(job.id)\n")
                }
            }
            #expect(deaths > (call == "fdatasync" ? 3 : 0))
            #expect(try run.state().jobs.allSatisfy { $0.kind == .collector || $0.outcome == .completed })
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func aDeathAtAnySyncOfACompletionLosesNothing() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "action", "quick")
            var deaths = 0
            while true {
                let fault = try SystemCallFaults("fdatasync", .death, when: "\(deaths + 1)")
                let tracer = try await fault.attach(to: try pid(of: run))
                let completed = try await bench.fixture.ecr("run", "complete")
                _ = try await tracer.wait()
                guard fault.hasStruck else {
                    #expect(completed.errorText.contains("complete: 100"), "\(completed.errorText)")
                    break
                }
                deaths += 1
                // It may die of an event of its own, before the end is asked for.
                #expect([79, 75, 64].contains(completed.status), "\(completed.errorText)")
                try await bench.fixture.wait(for: "the supervisor's death") { !run.hasSupervisor() }
                // Where the end is on record it is true, whatever the command could not say any more.
                if try run.state().isOver { break }
                try await bench.fixture.expect(0, "run", "resume")
            }
            #expect(deaths > 1)
            #expect(try run.state().status == .completed)
            try bench.check(run)
        }
    }

    /// It dies with the intent on record and nothing launched, then behind the launch, before the first rows are on disk.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() }, arguments: 1...4)
    func aDeathWithinTheStartOfACollectorSamplesOnce(_ number: Int) async throws {
        // Without a cap on its output a sample is the sampler's own child.
        let witnessed = "echo $ECR_JOB $PPID >>samplers; cat /proc/loadavg"
        try await FaultBench.with(hasLink: false) { bench in
            let samplers = "\(bench.witness)/samplers"
            try bench.fixture.write(
                """
                background_collectors:
                  load: {command: "\(witnessed.replacing("samplers", with: samplers))", interval: 0.2, max_sample_bytes: none, start: manual}
                """)
            let run = try await bench.start()
            try await bench.waitForFacts(of: run)
            let fault = try SystemCallFaults("fdatasync", .death, when: "\(number)")
            let tracer = try await fault.attach(to: try pid(of: run))
            let start = try await bench.fixture.ecr("run", "collector", "start", "load")
            #expect([0, 79].contains(start.status), "\(start.errorText)")
            _ = try await tracer.wait()
            #expect(fault.hasStruck)
            try await bench.fixture.wait(for: "the supervisor's death") { !run.hasSupervisor() }
            if number == 1 {
                #expect(!FileSystem.exists(samplers))
            } else {
                try await bench.fixture.wait(for: "the sampler") { FileSystem.exists(samplers) }
            }
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.wait(for: "samples") { try run.state().job("0001-load")?.samples ?? 0 >= 5 }
            try await bench.complete(run)
            #expect(try run.events(.collectorStarted).map { $0.data["job"]?.string } == ["0001-load"])
            let lines = String(decoding: try FileSystem.read(samplers), as: UTF8.self).split(separator: "\n")
            #expect(Set(lines).count == 1, "\(Set(lines))")
        }
    }

    @Test func aDeathWithinAPullPullsItOnce() async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            link.throttle(30_000)
            try bench.openGate()
            try await bench.fixture.wait(for: "the pull") { try !run.events(.artifactPullStarted).isEmpty }
            try await bench.killSupervisor(of: run)
            #expect(try await action.wait().status == 79)
            #expect(try run.events(.artifactPulled).isEmpty)
            link.throttle(nil)
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            try await bench.complete(run)
            let files = try FileSystem.list("\(run.artifacts)/0002-count")
            #expect(files == ["result"])
        }
    }

    @Test func aDeathWithinAFinallyActionLosesNothing() async throws {
        try await FaultBench.with(hasLink: false, extra: "finally: [count]\n") { bench in
            let run = try await bench.start()
            let complete = try bench.fixture.background("run", "complete")
            try await bench.fixture.wait(for: "the finally action") {
                try run.state().openJobs.contains { $0.name == "count" }
            }
            try await bench.killSupervisor(of: run)
            #expect(try await complete.wait().status == 79)
            try bench.openGate()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            try await bench.complete(run)
        }
    }

    // MARK: Stopped

    @Test func aStoppedSupervisorIsNamedAndGoesOn() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            let pid = try pid(of: run)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            // A command that only looks shows what the record knows; one that wants something is refused.
            async let status = bench.fixture.expect(0, "status")
            async let note = bench.fixture.expect(75, "note", "while it was stopped")
            async let other = bench.fixture.expect(75, "run", "action", "quick")
            for said in [try await status.outputText, try await note.errorText, try await other.errorText] {
                #expect(said.contains("does not answer") && said.contains("kill -CONT"), "\(said)")
            }
            #expect(try await status.outputText.contains("0002-count"))
            kill(pid, SIGCONT)
            #expect(try await bench.note("it goes on") == 0)
            try bench.openGate()
            #expect(try await action.wait().status == 0)
            try await bench.complete(run)
            #expect(try run.events(.note).count == 1)
            #expect(try run.events(.actionStarted).count == 1)
        }
    }

    // MARK: Missing

    @Test func aSocketThatNobodyListensOnIsNoSupervisor() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await bench.killSupervisor(of: run)
            #expect(FileSystem.exists(run.socket))
            #expect(try await bench.note("stale socket") == 0)
            let refused = try await bench.fixture.expect(64, "run", "action", "quick")
            #expect(refused.errorText.contains("ecr run resume"))
            unlink(run.socket)
            try bench.fixture.scratch.write("runs/\(run.id)/control.sock", "no socket at all")
            #expect(try await bench.note("no socket") == 0)
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "action", "quick")
            try await bench.complete(run)
        }
    }

    // MARK: Too fast

    @Test func ofTwoStartsOneWins() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = bench.fixture.run(try await bench.fixture.expect(0, "run", "create", "profile.yaml"))
            let starts = [try bench.fixture.background("run", "start"), try bench.fixture.background("run", "start")]
            var results: [CommandResult] = []
            for start in starts { results.append(try await start.wait()) }
            let failed = try #require(results.first { $0.status != 0 })
            // The slower one finds the other at work, or its work done.
            #expect([64, 75].contains(failed.status), "\(failed.errorText)")
            #expect(results.contains { $0.status == 0 })
            #expect(try run.events(.runStarted).count == 1)
            #expect(run.hasSupervisor())
            try await bench.fixture.expect(0, "run", "action", "quick")
            try await bench.complete(run)
        }
    }

    @Test func ofTwoResumesOneWins() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await bench.killSupervisor(of: run)
            let resumes = [
                try bench.fixture.background("run", "resume"), try bench.fixture.background("run", "resume"),
            ]
            var statuses: [Int32] = []
            for resume in resumes { statuses.append(try await resume.wait().status) }
            #expect(statuses.contains(0) && statuses.allSatisfy { [0, 64, 75].contains($0) }, "\(statuses)")
            #expect(try run.events(.runResumed).count == 1)
            #expect(try run.events(.runInterrupted).count == 1)
            try await bench.complete(run)
        }
    }

    @Test func manyCommandsAtOnceAreAllRecorded() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await withThrowingTaskGroup { group in
                for number in 1...6 {
                    group.addTask {
                        let status = try await bench.note("live \(number)")
                        #expect(status == 0)
                    }
                }
                for _ in 1...3 {
                    group.addTask { _ = try await bench.fixture.expect(0, "run", "action", "quick") }
                    group.addTask { _ = try await bench.fixture.expect(0, "run", "exec", "--", "true") }
                    group.addTask { _ = try await bench.fixture.expect(0, "status") }
                }
                try await group.waitForAll()
            }
            try await bench.killSupervisor(of: run)
            try await withThrowingTaskGroup { group in
                for number in 1...6 {
                    group.addTask {
                        let status = try await bench.note("offline \(number)")
                        #expect(status == 0)
                    }
                }
                try await group.waitForAll()
            }
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.complete(run)
            #expect(try run.events(.note).count == 12)
            #expect(try run.events(.runInterrupted).count == 1)
        }
    }
}
