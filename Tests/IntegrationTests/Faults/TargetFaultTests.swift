import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What breaks on the target: processes, files, its disk. Each fault has its own true verdict.
@Suite(.serialized, .timeLimit(.minutes(4))) struct TargetFaultTests {
    /// The spool's `meta` record of a job, word by word.
    private func meta(_ run: RunDirectory, _ job: String) throws -> [String] {
        let spool = try #require(try run.state().job(job)?.spool)
        let line = String(decoding: try FileSystem.read("\(spool)/\(job.prefix(4))/meta"), as: UTF8.self)
        return line.split(separator: " ").map(String.init)
    }

    private func wrapper(_ meta: [String]) throws -> pid_t { try #require(pid_t(meta[2])) }
    private func job(_ meta: [String]) throws -> pid_t { try #require(pid_t(meta[4])) }

    /// The one verdict on a job, which must be unknown, and be a hole in the ledger.
    private func expectUnknown(
        _ bench: FaultBench, _ run: RunDirectory, _ reason: String, at location: SourceLocation = #_sourceLocation
    ) async throws {
        let verdict = try #require(try run.events(.actionUnknown).first?.data, sourceLocation: location)
        #expect(verdict["reason"]?.string?.contains(reason) == true, "\(verdict)", sourceLocation: location)
        let completed = try await bench.fixture.expect(1, "run", "complete", at: location)
        #expect(completed.errorText.contains("missing: 0002-count"), sourceLocation: location)
        try bench.check(run)
        let ledger = try #require(try run.state().ledger)
        #expect(ledger["complete"]?.bool == false, sourceLocation: location)
    }

    // MARK: Processes

    @Test func aKilledWrapperLeavesAJobWhoseEndNobodyKnows() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            let meta = try meta(run, "0002-count")
            Processes.kill(try wrapper(meta))
            let result = try await action.wait()
            #expect(result.status == 79)
            #expect(result.errorText.contains("wrapper was killed; the job may still run"))
            #expect(kill(try job(meta), 0) == 0)
            #expect(result.outputText.hasSuffix("line 400 ü of 0002-count\n"))
            try bench.openGate()
            try await expectUnknown(bench, run, "wrapper")
        }
    }

    @Test func aJobThatIsKilledWithItsWrapperHasVanished() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            let meta = try meta(run, "0002-count")
            Processes.kill(try wrapper(meta))
            kill(-(try job(meta)), SIGKILL)
            #expect(try await action.wait().status == 79)
            try await expectUnknown(bench, run, "killed together with its wrapper")
        }
    }

    @Test func aJobThatIsKilledAloneHasFailed() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            kill(-(try job(try meta(run, "0002-count"))), SIGKILL)
            #expect(try await action.wait().status == 1)
            #expect(try run.events(.actionFailed).map { $0.data["exit"]?.int } == [137])
        }
    }

    /// The pids of the record belong to others by now, who started later.
    @Test func aReusedPIDIsNotTheJob() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            let meta = try meta(run, "0002-count")
            Processes.kill(try wrapper(meta))
            kill(-(try job(meta)), SIGKILL)
            let stranger = try RunningCommand("/bin/sleep", [Processes.uniqueSleep()])
            var forged = meta
            (forged[2], forged[4]) = ("\(stranger.pid)", "\(stranger.pid)")
            let spool = try #require(try run.state().job("0002-count")?.spool)
            let file = try File(path: "\(spool)/0002/meta", O_WRONLY | O_TRUNC)
            try file.write(Array(forged.joined(separator: " ").utf8))
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(79, "run", "follow", "0002-count")
            #expect(stranger.isRunning)
            try await expectUnknown(bench, run, "killed together with its wrapper")
        }
    }

    // MARK: Files

    @Test func aSpoolThatIsDeletedUnderAJobIsNamedAndMadeAnew() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            let spool = try #require(try run.state().spool)
            try FileSystem.removeTree(spool)
            let result = try await action.wait()
            #expect(result.status == 79)
            #expect(result.errorText.contains("the spool on the target is gone"))
            try await bench.fixture.wait(for: "another spool") { try run.state().spool != spool }
            try await bench.fixture.expect(0, "run", "action", "quick")
            try bench.openGate()
            try await expectUnknown(bench, run, "spool")
        }
    }

    // MARK: The disk

    /// - Parameter body: given the disk, full of nothing yet, on which the spool is.
    private func withSmallSpool(
        _ extra: String = "", _ body: (FaultBench, SmallDisk, RunDirectory) async throws -> Void
    ) async throws {
        let disk = try await SmallDisk(kilobytes: 512)
        try await FaultBench.with(hasLink: false, connection: ["spool_dir": "\"\(disk.path)/spool\""], extra: extra) {
            bench in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "collector", "stop", "load")
            try await bench.waitForFacts(of: run)
            try await body(bench, disk, run)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aJobThatFindsNoRoomIsNotBegun() async throws {
        try await withSmallSpool { bench, disk, run in
            try disk.fill()
            let result = try await bench.fixture.expect(74, "run", "action", "quick")
            #expect(result.errorText.contains("nothing was run: the target's disk is full"))
            #expect(!FileSystem.exists("\(bench.witness)/starts"))
            try disk.free()
            try await bench.fixture.expect(0, "run", "action", "quick")
            // Both attempts of the first one were refused, and neither has a command on record.
            #expect(try run.events(.actionFailed).map { $0.data["reason"]?.string } == ["disk", "disk"])
            #expect(try run.events(.commandFailed).isEmpty)
            try await bench.complete(run)
        }
    }

    /// Room for the claim, and for nothing else.
    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func aJobThatFindsRoomForItsClaimAloneIsNotBegun() async throws {
        try await withSmallSpool { bench, disk, run in
            try disk.fill()
            try disk.free(blocks: 1)
            let result = try await bench.fixture.expect(74, "run", "action", "quick")
            #expect(result.errorText.contains("the target's disk is full"))
            #expect(!FileSystem.exists("\(bench.witness)/starts"))
            try disk.free()
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func anEndOnAFullDiskIsOnRecord() async throws {
        let fill = "fill: {commands: [\"dd if=/dev/zero bs=4096 count=1000; r=$?; echo over >&2; exit $r\"]}"
        let disk = try await SmallDisk(kilobytes: 512)
        try await FaultBench.with(hasLink: false, connection: ["spool_dir": "\"\(disk.path)/spool\""]) { bench in
            try bench.fixture.write("actions: {\(fill)}")
            let run = try await bench.start()
            // The command's own verdict, although the record of its end had no file to go to.
            let result = try await bench.fixture.expect(1, "run", "action", "fill")
            #expect(result.errorText.contains("fill failed: exit 1 (job 0001-fill"))
            #expect(try run.events(.actionFailed).first?.data["reason"]?.string == "exit")
            #expect(result.output == (try run.output("0001-fill")))
            #expect(result.output.count > 300_000)
            let spool = try #require(try run.state().spool)
            #expect(try FileSystem.read("\(spool)/0001/exit").isEmpty)
            // The same is found by whoever asks later.
            try await bench.killSupervisor(of: run)
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.complete(run)
        }
    }

    @Test(.enabled("needs root") { await SmallDisk.isAvailable() })
    func anEndOnAFullDiskIsFoundByAResume() async throws {
        let disk = try await SmallDisk(kilobytes: 512)
        try await FaultBench.with(hasLink: false, connection: ["spool_dir": "\"\(disk.path)/spool\""]) { bench in
            let run = try await bench.start()
            try await bench.fixture.expect(0, "run", "collector", "stop", "load")
            let action = try await bench.beginCount(on: run)
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            try disk.fill()
            try bench.openGate()
            let pid = try job(try meta(run, "0002-count"))
            try await bench.fixture.wait(for: "the job's end") { kill(pid, 0) != 0 }
            try await bench.fixture.expect(0, "run", "resume")
            let followed = try await bench.fixture.ecr("run", "follow", "0002-count")
            // `dd` had no room for the artifact: that is the command's failure, and no mystery.
            #expect(followed.status == 1, "\(followed.errorText)")
            try disk.free()
            let events = try run.events(.actionFailed)
            #expect(events.map { $0.data["reason"]?.string } == ["exit"])
            #expect(try run.events(.actionUnknown).isEmpty)
        }
    }
}
