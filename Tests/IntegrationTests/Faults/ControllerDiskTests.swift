import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// A controller whose disk is full, read-only, failing or without power: what was acknowledged stays, nothing more is,
/// and the run goes on once the disk does.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ControllerDiskTests {
    /// Lets the runs be on a disk.
    private func place(_ bench: FaultBench, on path: String) throws {
        try FileSystem.makeDirectories("\(path)/runs")
        try check("link") { symlink("\(path)/runs", bench.fixture.scratch.path("runs")) }
    }

    private func withSmallDisk(_ body: (FaultBench, SmallDisk) async throws -> Void) async throws {
        let disk = try await SmallDisk(kilobytes: 1024)
        try await FaultBench.with(hasLink: false, extra: "transfers: {min_free_disk: 0}") { bench in
            try place(bench, on: disk.path)
            try await body(bench, disk)
        }
    }

    private func waitForEnd(_ bench: FaultBench, _ run: RunDirectory) async throws {
        try await bench.fixture.wait(for: "the supervisor's end") { !run.hasSupervisor() }
    }

    // MARK: Full

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aFullDiskEndsTheSupervisorAndNotTheJob() async throws {
        try await withSmallDisk { bench, disk in
            let run = try await bench.start()
            try await bench.note("before")
            let action = try await bench.beginCount(on: run)
            try disk.fill()
            try bench.openGate()
            let result = try await action.wait()
            #expect(result.status == 74)
            #expect(result.errorText.contains("No space left on device") && result.errorText.contains("try: "))
            try await waitForEnd(bench, run)
            #expect(try run.events(.storageError).count == 1)

            // Looking is possible, writing is not, and the job has come to its end meanwhile.
            let status = try await bench.fixture.expect(0, "status", "--json").json()
            #expect(status["state"]?.string == "interrupted")
            for command in [["run", "list"], ["run", "show"], ["run", "events"]] {
                #expect(try await bench.fixture.ecr(command).status == 0)
            }
            // The room of the reserve is free now.
            try disk.fill()
            #expect(try await bench.noteUntilRefused("on a full disk") == 74)
            try await bench.fixture.expect(74, "run", "resume")
            try await bench.fixture.expect(74, "run", "start", "profile.yaml")
            #expect(try bench.fixture.runs() == [run.id])

            try disk.free()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            try await bench.note("after")
            // The reserve is there again: the next failure comes on record, too.
            try disk.fill()
            #expect(try await bench.noteUntilRefused("full again") == 74)
            // It may be gone by now; as long as it is there it says that it will be.
            let last = try await bench.fixture.expect(0, "status", "--json").json()
            if last["state"]?.string != "interrupted" {
                #expect(last["failure"]?.string?.contains("No space left on device") == true)
                #expect(last["next"]?.string?.contains("ecr run resume") == true)
            }
            try await waitForEnd(bench, run)
            try disk.free()
            #expect(try run.events(.storageError).count >= 2)
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.complete(run)
            #expect(try run.events(.note).count == bench.notes)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aDiskThatIsFullAtTheEndOfARunCompletesItLater() async throws {
        try await withSmallDisk { bench, disk in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "action", "quick")
            try disk.fill()
            try await bench.fixture.expect(74, "run", "complete")
            try await waitForEnd(bench, run)
            try disk.free()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aDiskThatIsFullInTheMiddleOfAPullTakesItUpLater() async throws {
        let disk = try await SmallDisk(kilobytes: 8192)
        try await FaultBench.with { bench in
            try place(bench, on: disk.path)
            let link = try #require(bench.link)
            let bytes = testBytes(5_000_000)
            let big = try bench.fixture.scratch.write("big", bytes: bytes)
            try bench.fixture.write(
                """
                actions: {fetch: {commands: ["\(bench.witnessed("echo fetch"))"], artifacts: [{path: "\(big)", allow_old: true}]}}
                transfers: {min_free_disk: 0}
                """)
            let run = try await bench.start()
            link.fail(.stall, after: 2_000_000, .toClient)
            let action = try bench.fixture.background("run", "action", "fetch")
            try await bench.fixture.wait(for: "the stall") { !link.isArmed }
            try disk.fill()
            link.fail(.reset)
            link.restore()
            #expect(try await action.wait().status == 74)
            try await waitForEnd(bench, run)
            try disk.free()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0001-fetch")
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-fetch/big") == bytes)
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aDiskThatIsFullAgainIsToldAgainAndKeepsWhatHasCome() async throws {
        let disk = try await SmallDisk(kilobytes: 8192)
        try await FaultBench.with { bench in
            try place(bench, on: disk.path)
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let bytes = testBytes(6_000_000)
            let big = try fixture.scratch.write("big", bytes: bytes)
            try fixture.write(
                "actions: {wait: {commands: [\"echo up; while [ ! -e '\(fixture.scratch.path("go"))' ]; do sleep 0.05; done\"]}}\n"
                    + "transfers: {min_free_disk: 0}")
            let run = try await bench.start()
            var waiting = try fixture.background("run", "action", "wait")
            for round in 1...2 {
                try await waiting.waitForOutput("up")
                link.fail(.stall, after: 2_000_000, .toClient)
                let pull = try fixture.background("run", "pull", big)
                try await fixture.wait(for: "the stall") { !link.isArmed }
                try disk.fill()
                link.fail(.reset)
                link.restore()
                let first = try await pull.wait()
                #expect(first.status == 74, "\(first.errorText)")
                #expect(first.errorText.contains("No space left on device\n  try: see to the disk"))
                // The supervisor is there for a moment, or gone; nothing that is asked by then has an unknown outcome.
                let again = try await fixture.ecr("run", "pull", big)
                #expect([64, 74, 75].contains(again.status) && again.errorText.contains("try: "), "\(again.errorText)")
                // A job goes on without it, and its command is told why it hears no more.
                let told = try await waiting.wait()
                #expect(told.status == 79 || told.status == 74)
                #expect(told.errorText.contains("No space left on device"), "\(told.errorText)")
                try await waitForEnd(bench, run)
                #expect(try run.events(.storageError).count >= round)
                #expect(try FileSystem.list(run.handParts).count == 1)
                try disk.free()
                try await fixture.expect(0, "run", "resume")
                waiting = try fixture.background("run", "follow", "0001-wait")
            }
            try await fixture.expect(0, "run", "pull", big)
            let pulled = try #require(try run.events(.artifactPulled).last?.data)
            #expect(try FileSystem.read("\(run.path)/\(pulled["path"]?.string ?? "")") == bytes)
            #expect(pulled["resumed_at"]?.int ?? 0 > 1_000_000)
            try fixture.scratch.write("go", "")
            #expect(try await waiting.wait().status == 0)
            try await bench.complete(run)
        }
    }

    // MARK: Read-only

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aReadOnlyRunIsLookedAtAndNotChanged() async throws {
        try await withSmallDisk { bench, disk in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            try await bench.note("written")
            try await disk.makeReadOnly()
            for command in [["run", "list"], ["run", "show"], ["run", "events"], ["status"]] {
                #expect(try await bench.fixture.ecr(command).status == 0)
            }
            try await bench.fixture.expect(0, "run", "export", "-o", bench.fixture.scratch.path("data.zip"))
            #expect(try await bench.note("not written") == 74)
            let refused = try await bench.fixture.expect(74, "run", "resume")
            #expect(refused.errorText.contains("Read-only file system"))
            try await bench.fixture.expect(74, "run", "abort")
            try await bench.fixture.expect(74, "run", "start", "profile.yaml")
            try await disk.makeWritable()
            try bench.openGate()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            try await bench.complete(run)
        }
    }

    // MARK: Failing

    /// SQLite's way: the first sync of the record fails, the second, and so on until an action has gone through.
    @Test(.enabled("needs strace") { await SystemCallFaults.isAvailable() })
    func aSyncThatFailsAtAnyPlaceLosesNothing() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "collector", "stop", "load")
            var (failures, told) = (0, 0)
            while true {
                let fault = try SystemCallFaults("fdatasync", .error("EIO"), when: "\(failures + 1)")
                let pid = try #require(Processes.ids(withArgument: run.path).first)
                let tracer = try await fault.attach(to: pid)
                let action = try await bench.fixture.ecr("run", "action", "quick")
                if action.status == 0 { tracer.signal(SIGINT) }
                _ = try await tracer.wait()
                guard fault.hasStruck else { break }
                failures += 1
                if action.status == 74 {
                    told += 1
                    #expect(action.errorText.contains("Input/output error"))
                } else {
                    // It may fail with an event of its own, before the action is asked for.
                    #expect([64, 75].contains(action.status), "\(action.errorText)")
                }
                try await waitForEnd(bench, run)
                try await bench.note("failure \(failures)")
                try await bench.fixture.expect(0, "run", "resume")
                for job in try run.state().openJobs { try await bench.fixture.expect(0, "run", "follow", job.id) }
            }
            #expect(told > 3)
            #expect(try run.events(.storageError).count == failures)
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs root, mkfs.ext4 and loop devices") { await MortalDisk.isAvailable() })
    func aDiskThatDiesEndsTheSupervisor() async throws {
        let disk = try await MortalDisk()
        try await FaultBench.with(hasLink: false) { bench in
            try place(bench, on: disk.path)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try disk.cutPower()
            try bench.openGate()
            #expect(try await action.wait().status == 74)
            try await bench.fixture.wait(for: "the supervisor's end") { !Processes.exist(withArgument: run.path) }
            try await disk.restorePower()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0002-count")
            try await bench.complete(run)
        }
    }

    // MARK: Without power

    @Test(.enabled("needs root, mkfs.ext4 and loop devices") { await MortalDisk.isAvailable() })
    func aPowerCutTakesNothingThatWasAcknowledged() async throws {
        let disk = try await MortalDisk()
        try await FaultBench.with(hasLink: false) { bench in
            try place(bench, on: disk.path)
            let run = try await bench.start()
            for round in 1...3 {
                bench.closeGate()
                let action = try await bench.beginCount(on: run)
                try await bench.note("round \(round)")
                if round == 2 { try bench.openGate() }
                // The moment of the cut: nobody may hear of it before it has happened.
                let pids = Processes.ids(withArgument: run.path)
                for pid in pids { kill(pid, SIGSTOP) }
                try disk.cutPower()
                for pid in pids { kill(pid, SIGKILL) }
                _ = try await action.wait()
                try await bench.fixture.wait(for: "the supervisor's death") { !Processes.exist(withArgument: run.path) }
                try await disk.restorePower()
                try await bench.note("power is back \(round)")
                try bench.openGate()
                try await bench.fixture.expect(0, "run", "resume")
                for job in try run.state().openJobs where job.kind == .action {
                    try await bench.fixture.expect(0, "run", "follow", job.id)
                }
                try bench.check(run)
            }
            try await bench.complete(run)
            #expect(try run.events(.actionCompleted).count == 3)
        }
    }
}
