import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// What the ledger, the gaps and `ecr verify` make of real collectors that are slow, die, or lose what they wrote.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CompletenessTests {
    private func ledger(of run: RunDirectory) throws -> JSON {
        .object(try #require(try run.events(.ledger).last?.data))
    }

    private func collector(_ ledger: JSON) -> JSON? { ledger["collectors"]?.array?.first }

    private func waitForSamples(
        _ fixture: RunFixture, _ run: RunDirectory, of job: String, _ count: Int64
    ) async throws {
        try await fixture.wait(for: "samples of \(job)") { try run.state().job(job)?.samples ?? 0 >= count }
    }

    /// The ticks of all rows and those that were skipped, as the events tell them.
    private func ticks(of run: RunDirectory) throws -> (sampled: [Int64], skipped: [Int64]) {
        let events = try run.events(.collectorOutput)
        let rows = events.flatMap { $0.data["rows"]?.array ?? [] }.compactMap { $0["tick"]?.int }
        let skipped = events.flatMap { $0.data["skipped"]?.array ?? [] }.flatMap { range -> [Int64] in
            guard let first = range.array?.first?.int, let last = range.array?.last?.int else { return [] }
            return Array(first...last)
        }
        return (rows, skipped)
    }

    private func expectWhole(
        _ fixture: RunFixture, _ reference: String = "latest", at location: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await fixture.ecr("verify", "--json", reference)
        #expect(result.status == 0, "\(result.outputText)", sourceLocation: location)
        #expect(try result.json()["remarks"] == [], sourceLocation: location)
    }

    /// The pid of the process group of a job, as the target's own record tells it.
    private func pid(of job: String, in run: RunDirectory) throws -> pid_t {
        let spool = try #require(try run.state().spool)
        let meta = try FileSystem.read("\(spool)/\(job.prefix { $0 != "-" })/meta")
        return try #require(pid_t(String(decoding: meta, as: UTF8.self).split(separator: " ")[4]))
    }

    @Test func aSamplerThatIsSlowerThanItsIntervalSkipsTicksAndHasNoHole() async throws {
        try await RunFixture.with(
            profile: "background_collectors: {slow: {command: \"sleep 0.35; echo x\", interval: 0.1}}"
        ) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-slow", 3)
            let completed = try await fixture.expect(0, "run", "complete")
            #expect(completed.errorText.contains("complete: 100 %\nremark: slow: "))
            #expect(completed.errorText.contains(" ticks skipped, the sample before still ran\n"))
            let (sampled, skipped) = try ticks(of: run)
            #expect(!skipped.isEmpty)
            // Every number up to the last is there once.
            #expect((sampled + skipped).sorted() == Array(0..<Int64(sampled.count + skipped.count)))
            let entry = try collector(ledger(of: run))
            #expect(entry?["received"]?.int == Int64(sampled.count) && entry?["expected"] == entry?["received"])
            #expect(entry?["overruns"]?.int == Int64(skipped.count) && entry?["gaps"] == 0)
            #expect(try run.events(.collectorGap).isEmpty)
            try await expectWhole(fixture)
        }
    }

    @Test func aSamplerThatIsKilledOnTheTargetIsStartedAgainAndLeavesAGap() async throws {
        try await RunFixture.with(profile: "background_collectors: {load: {command: \"echo x\", interval: 0.1}}") {
            fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            kill(-(try pid(of: "0001-load", in: run)), SIGKILL)
            try await fixture.wait(for: "its end") { try run.events(.collectorStopped).count == 1 }
            let error = try #require(try run.events(.collectorError).first)
            #expect(error.data["reason"] == "killed by signal 9" && error.data["exit"] == 137)
            try await waitForSamples(fixture, run, of: "0002-load", 3)
            let retry = try #require(try run.events(.collectorRetry).first?.data)
            #expect(retry["job"] == "0001-load" && retry["reason"] == "killed by signal 9")
            #expect(retry["attempt"] == 1 && retry["next_in_s"]?.double == 1)

            let completed = try await fixture.expect(1, "run", "complete")
            let gaps = try run.events(.collectorGap)
            #expect(gaps.count == 1)
            let gap = try #require(gaps.first?.data)
            let rows = try run.events(.collectorOutput).flatMap { event in
                (event.data["rows"]?.array ?? []).map { (event.data["job"]?.string, $0["time"]?.string) }
            }
            #expect(gap["job"] == "0001-load" && gap["reason"] == "killed by signal 9")
            #expect(gap["from"]?.string == rows.last { $0.0 == "0001-load" }?.1)
            #expect(gap["to"]?.string == rows.first { $0.0 == "0002-load" }?.1)
            let samples = try #require(gap["samples"]?.int)
            // A second, without the tick that was due when it died.
            #expect(samples >= 8)
            #expect(completed.errorText.contains("missing: load: \(samples) samples from "))
            let entry = try collector(ledger(of: run))
            #expect(entry?["expected"]?.int == Int64(rows.count) + samples)
            #expect(entry?["received"]?.int == Int64(rows.count) && entry?["gaps"] == 1)
            let show = try await fixture.expect(0, "run", "show").outputText
            #expect(show.contains("COLLECTOR  EXPECTED  RECEIVED  SKIPPED  GAPS"))
            #expect(show.contains("killed by signal 9"))
            // A hole is no damage: the record says of itself what it lacks.
            try await expectWhole(fixture)
        }
    }

    /// As the kernel's out-of-memory killer does it, to the command alone.
    @Test func aStreamWhoseCommandIsKilledIsStartedAgainAndLeavesAGap() async throws {
        let length = "1000.\(Int.random(in: 100_000...999_999))"
        try await RunFixture.with(
            profile: "background_collectors: {words: {stream: \"echo word; exec sleep \(length)\"}}"
        ) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-words", 1)
            for id in Processes.ids(withArgument: length) { Processes.kill(id) }
            try await waitForSamples(fixture, run, of: "0002-words", 1)
            let stopped = try #require(try run.events(.collectorStopped).first?.data)
            #expect(stopped["exit"] == 137 && stopped["reason"] == "killed by signal 9")
            #expect(try run.events(.collectorRetry).count == 1)
            try await fixture.expect(1, "run", "complete")
            #expect(try run.events(.collectorGap).map { $0.data["job"] } == ["0001-words"])
            try await expectWhole(fixture)
        }
    }

    @Test func aStreamWithoutItsCommandIsAGapAndReportedOnce() async throws {
        try await RunFixture.with(profile: "background_collectors: {words: {stream: no-such-command --all}}") {
            fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "two ends") { try run.events(.collectorStopped).count >= 2 }
            try await fixture.expect(1, "run", "complete")
            #expect(
                try run.events(.collectorError).map { $0.data["reason"] } == ["command not found (exit 127)"])
            #expect(try run.events(.collectorGap).count >= 1)
        }
    }

    @Test func aSampleThatHangsIsMissingWithAllThatAreDueBehindIt() async throws {
        try await RunFixture.with { fixture in
            let stuck = fixture.scratch.path("stuck")
            try fixture.write(
                """
                background_collectors:
                  load: {command: "[ ! -e '\(stuck)' ] || exec sleep 1000; echo x", interval: 0.1}
                """)
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            try fixture.scratch.write("stuck", "")
            try await Task.sleep(for: .seconds(4))
            let completed = try await fixture.expect(1, "run", "complete")
            let gap = try #require(try run.events(.collectorGap).first?.data)
            #expect(gap["reason"] == "a sample had not ended")
            #expect(gap["samples"]?.int ?? 0 >= 20)
            #expect(completed.errorText.contains("missing: load: "))
            try await expectWhole(fixture)
        }
    }

    /// BusyBox's timeout(1) would end the shell alone, and its child would hold the sample open.
    @Test(.enabled(if: DropbearServer.isSmallAvailable), arguments: [true, false])
    func aTimeoutEndsAllOfASampleOnASmallTarget(hasSetsid: Bool) async throws {
        let profile = """
            background_collectors:
              load: {command: "echo begun; sleep \(hasSetsid ? 4 : 2); true", interval: 1, timeout: 0.5}
            """
        let missing: Set = hasSetsid ? ["timeout"] : ["setsid", "timeout"]
        try await RunFixture.withSmallTarget(without: missing, profile: profile) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 2)
            let reason = try run.events(.collectorError).first?.data["reason"]
            let rows = try run.events(.collectorOutput).flatMap { $0.data["rows"]?.array ?? [] }
            #expect(rows.allSatisfy { $0["text"] == "begun\n" && $0["exit"] == (hasSetsid ? 124 : 0) })
            #expect(
                reason
                    == (hasSetsid
                        ? "timed out after 0.5 s"
                        : "its timeout of 0.5 s is not kept: the target has neither setsid nor timeout"))
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aSamplerThatIsKilledWithItsWrapperIsStartedAgain() async throws {
        try await RunFixture.with(profile: "background_collectors: {load: {command: \"echo x\", interval: 0.1}}") {
            fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            let spool = try #require(try run.state().spool)
            let meta = String(decoding: try FileSystem.read("\(spool)/0001/meta"), as: UTF8.self).split(separator: " ")
            kill(try #require(pid_t(meta[2])), SIGKILL)
            let sampler = try pid(of: "0001-load", in: run)
            try await waitForSamples(fixture, run, of: "0002-load", 3)
            let error = try #require(try run.events(.collectorError).first?.data)
            #expect(
                error["job"] == "0001-load" && error["reason"] == "the job's wrapper was killed; the job may still run")
            #expect(try run.events(.collectorRetry).count == 1)
            // The sampler that was left behind is ended first: two would measure each other.
            try await fixture.wait(for: "the old sampler's end") { kill(sampler, 0) != 0 }
            try await fixture.expect(1, "run", "complete")
            #expect(try run.events(.collectorGap).map { $0.data["job"] } == ["0001-load"])
        }
    }

    @Test func aSamplerIsStartedAgainAlsoWhileACompletionWaits() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                """
                actions: {hold: {commands: ["echo holding; while [ ! -e '\(go)' ]; do sleep 0.05; done"]}}
                background_collectors: {load: {command: "echo x", interval: 0.1}}
                """)
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            let action = try fixture.background("run", "action", "hold")
            try await action.waitForOutput("holding")
            let complete = try fixture.background("run", "complete", "--wait")
            try await fixture.wait(for: "the completion") {
                try await fixture.expect(0, "status", "--json").json()["ending"] != .null
            }
            kill(-(try pid(of: "0001-load", in: run)), SIGKILL)
            try await waitForSamples(fixture, run, of: "0003-load", 3)
            try fixture.scratch.write("go", "")
            #expect(try await action.wait().status == 0)
            #expect(try await complete.wait().status == 1)
            #expect(try run.events(.collectorGap).map { $0.data["job"] } == ["0001-load"])
        }
    }

    @Test func aSamplerThatHasDiedIsStartedAgainByAResume() async throws {
        try await RunFixture.with(profile: "background_collectors: {load: {command: \"echo x\", interval: 0.1}}") {
            fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            kill(-(try pid(of: "0001-load", in: run)), SIGKILL)
            try await fixture.wait(for: "the plan") { try run.events(.collectorRetry).count == 1 }
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            let latest = try #require(try run.state().jobs.last?.id)
            try await waitForSamples(fixture, run, of: latest, 3)
            #expect(latest != "0001-load")
            try await fixture.expect(1, "run", "complete")
            #expect(try run.events(.collectorGap).map { $0.data["job"] } == ["0001-load"])
            try await expectWhole(fixture)
        }
    }

    @Test func aSamplerThatIsStoppedAfterItsDeathHasAGapUntilThen() async throws {
        try await RunFixture.with(
            profile: """
                background_collectors:
                  load: {command: "echo x", interval: 0.2}
                  words: {stream: "echo one; echo two"}
                """
        ) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 2)
            try await waitForSamples(fixture, run, of: "0002-words", 2)
            kill(-(try pid(of: "0001-load", in: run)), SIGKILL)
            try await fixture.wait(for: "both ends") { try run.events(.collectorStopped).count >= 2 }
            try await Task.sleep(for: .seconds(0.5))
            try await fixture.expect(0, "run", "collector", "stop", "load")
            try await fixture.expect(64, "run", "collector", "stop", "load")
            try await fixture.expect(1, "run", "complete")
            let gaps = try run.events(.collectorGap)
            // A stream may end by itself.
            #expect(gaps.map { $0.data["collector"] } == ["load"])
            #expect(gaps.first?.data["samples"]?.int ?? 0 >= 1)
            #expect(try run.events(.collectorStarted).filter { $0.data["collector"] == "words" }.count == 1)
            // With a hole, what the target has may be the only good copy.
            let spool = try #require(try run.state().spool)
            #expect(FileSystem.isDirectory(spool))
        }
    }

    @Test func ticksThatTheSpoolHasLostAreAGapWithTheirNumbers() async throws {
        try await RunFixture.with(profile: "background_collectors: {load: {command: \"echo x\", interval: 0.1}}") {
            fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 2)
            try await fixture.killSupervisor(of: run)
            let recorded = try #require(try run.state().job("0001-load"))
            let spool = "\(try #require(try run.state().spool))/0001/stdout"
            try await fixture.wait(for: "more samples") {
                try File(path: spool, O_RDONLY).size() > recorded.stdoutBytes + 1000
            }
            // A few marks become unreadable, as a medium may do it.
            let file = try File(path: spool, O_RDWR)
            try file.write([UInt8](repeating: 0x20, count: 400), at: recorded.stdoutBytes + 200)

            try await fixture.expect(0, "run", "resume")
            try await fixture.wait(for: "the gap") { try run.events(.collectorGap).count == 1 }
            let gap = try #require(try run.events(.collectorGap).first?.data)
            let (first, last) = (try #require(gap["first_tick"]?.int), try #require(gap["last_tick"]?.int))
            let seen = try await fixture.expect(1, "run", "complete")
            #expect(seen.errorText.contains("the target's spool does not have them"))
            let (sampled, skipped) = try ticks(of: run)
            let accounted = sampled + skipped + Array(first...last)
            #expect(accounted.sorted() == Array(0..<Int64(accounted.count)))
            #expect(gap["samples"]?.int == last - first + 1)
            let entry = try collector(ledger(of: run))
            #expect(entry?["expected"]?.int == Int64(sampled.count) + last - first + 1)
            #expect(entry?["received"]?.int == Int64(sampled.count))
            try await expectWhole(fixture)
        }
    }

    /// Another supervisor would find the numbers that it expects only if the record keeps them.
    @Test func anInterruptionAloneIsNoGap() async throws {
        try await RunFixture.with(
            profile: "background_collectors: {slow: {command: \"sleep 0.25; echo x\", interval: 0.1}}"
        ) { fixture in
            let run = try await fixture.start()
            for round in 1...3 {
                try await waitForSamples(fixture, run, of: "0001-slow", Int64(round * 2))
                try await fixture.killSupervisor(of: run)
                // Between two supervisors the record is whole as well.
                #expect(try await fixture.ecr("verify").status == 0)
                try await fixture.expect(0, "run", "resume")
            }
            try await fixture.expect(0, "run", "complete")
            let (sampled, skipped) = try ticks(of: run)
            #expect((sampled + skipped).sorted() == Array(0..<Int64(sampled.count + skipped.count)))
            try await expectWhole(fixture)
        }
    }

    /// The second job takes no sample, and the third must not begin the table anew.
    @Test func aJobWithoutSamplesLeavesTheTableAsItIs() async throws {
        try await RunFixture.with { fixture in
            let quiet = fixture.scratch.path("quiet")
            try fixture.write(
                """
                background_collectors:
                  words: {stream: "[ -e '\(quiet)' ] || echo word; exec sleep 1000"}
                """)
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-words", 1)
            try await fixture.expect(0, "run", "collector", "stop", "words")
            try fixture.scratch.write("quiet", "")
            try await fixture.expect(0, "run", "collector", "start", "words")
            try await fixture.wait(for: "the second job") { try run.state().job("0002-words") != nil }
            try await fixture.expect(0, "run", "collector", "stop", "words")
            unlink(quiet)
            try await fixture.expect(0, "run", "collector", "start", "words")
            try await waitForSamples(fixture, run, of: "0003-words", 1)
            try await fixture.expect(0, "run", "complete")
            let table = String(decoding: try FileSystem.read(run.collectorRows("words")), as: UTF8.self)
            #expect(table.split(separator: "\n").count == 3)
            try await expectWhole(fixture)
        }
    }

    @Test func aRunIsVerifiedWhileItGoesOnAndAsADataset() async throws {
        try await RunFixture.with(
            profile: """
                actions:
                  noise: {commands: ["head -c 2000000 /dev/urandom; echo 1 >$ECR_OUT/a.csv; echo e >&2; printf 'ü\\\\n'"]}
                background_collectors:
                  load: {command: "cat /proc/loadavg", interval: 0.1}
                  noise: {stream: "while :; do head -c 300 /dev/urandom; sleep 0.05; done"}
                """
        ) { fixture in
            let run = try await fixture.start()
            let action = try fixture.background("run", "action", "noise")
            while action.isRunning {
                let result = try await fixture.ecr("verify", "--json")
                let json = try result.json()
                #expect(result.status == 0, "\(result.outputText)")
                #expect(json["live"] == true && json["remarks"] == [] && json["unnamed"] == [])
            }
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            let completed = try await fixture.expect(0, "run", "complete")
            let head = try run.state().checkpoint.hash
            #expect(completed.errorText.contains("head hash: \(head)\n"))
            try await fixture.expect(0, "run", "export", "-o", "out.zip")
            try await expectWhole(fixture)
            #expect(try await fixture.ecr("verify", "--head", head).status == 0)
            try await Command.runSuccessfully(
                try #require(Command.find("unzip")), ["-q", "out.zip", "-d", "copy"],
                workingDirectory: fixture.scratch.path)
            try await expectWhole(fixture, "copy/\(run.id)")
            #expect(try await fixture.ecr("verify", "copy/\(run.id)", "--head", head).status == 0)
        }
    }

    // MARK: Reboots

    private static let sampled = "background_collectors: {load: {command: \"echo x\", interval: 0.1}}"

    @Test(.enabled("needs root and namespaces") { await TargetMachine.isAvailable() })
    func aRebootLeavesAGapUntilTheCollectorSamplesAgain() async throws {
        try await RunFixture.with(.init(place: .machine), profile: Self.sampled) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            try await fixture.server.reboot()
            try await waitForSamples(fixture, run, of: "0002-load", 3)
            let completed = try await fixture.expect(1, "run", "complete")
            let gap = try #require(try run.events(.collectorGap).first?.data)
            #expect(try run.events(.collectorGap).count == 1)
            #expect(gap["job"] == "0001-load" && gap["reason"] == "the target was rebooted")
            let samples = try #require(gap["samples"]?.int)
            // What is missing is the gap, nothing else; the reboot itself is only named.
            #expect(completed.errorText.split(separator: "\n").filter { $0.hasPrefix("missing: ") }.count == 1)
            #expect(completed.errorText.contains("missing: load: \(samples) samples from "))
            #expect(completed.errorText.contains("remark: the target was rebooted, seen at "))
            let ledger = try ledger(of: run)
            #expect(ledger["unknown"] == ["0001-load"] && ledger["reboots"]?.array?.count == 1)
            try checkTimes(of: run, gap)
            try await expectWhole(fixture)
        }
    }

    /// What was sampled before the reboot is read after it, by a supervisor that never saw that boot.
    @Test(.enabled("needs root and namespaces") { await TargetMachine.isAvailable() })
    func samplesOfAnEarlierBootKeepTheirTimes() async throws {
        try await RunFixture.with(.init(place: .machine), profile: Self.sampled) { fixture in
            let run = try await fixture.start()
            try await waitForSamples(fixture, run, of: "0001-load", 3)
            try await fixture.killSupervisor(of: run)
            let recorded = try #require(try run.state().job("0001-load")?.stdoutBytes)
            let spool = "\(try #require(try run.state().spool))/0001/stdout"
            try await fixture.wait(for: "more samples") { try File(path: spool, O_RDONLY).size() > recorded + 500 }
            try await fixture.server.reboot()
            try await fixture.expect(0, "run", "resume")
            try await waitForSamples(fixture, run, of: "0002-load", 3)
            try await fixture.expect(1, "run", "complete")
            #expect(try run.events(.collectorGap).count == 1)
            try checkTimes(of: run, try #require(try run.events(.collectorGap).first?.data))
            try await expectWhole(fixture)
        }
    }

    /// The times of all rows never fall and lie within the run, and the gap is between two of them.
    private func checkTimes(of run: RunDirectory, _ gap: JSONObject) throws {
        let rows = try run.events(.collectorOutput).flatMap { event in
            (event.data["rows"]?.array ?? []).map { (job: event.data["job"]?.string, time: $0["time"]?.string ?? "") }
        }
        let state = try run.state()
        let times = rows.compactMap { Clock.microseconds(iso8601: $0.time) }
        #expect(times.count == rows.count && zip(times, times.dropFirst()).allSatisfy(<=))
        let began = try #require(Clock.microseconds(iso8601: state.started ?? ""))
        let ended = try #require(Clock.microseconds(iso8601: state.ended ?? ""))
        // A target tells its uptime in hundredths of a second.
        #expect(times.allSatisfy { $0 > began - 100_000 && $0 < ended + 100_000 })
        #expect(gap["from"]?.string == rows.last { $0.job == "0001-load" }?.time)
        #expect(gap["to"]?.string == rows.first { $0.job == "0002-load" }?.time)
    }
}
