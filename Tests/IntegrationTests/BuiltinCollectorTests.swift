import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Samplers that ecr brings along, and collectors that stop with a pause.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BuiltinCollectorTests {
    private static let profile = """
        background_collectors:
          cpu: {builtin: cpu, interval: 200ms}
          mem: {builtin: memory, interval: 200ms}
          disk: {builtin: disk, interval: 200ms}
          net: {builtin: network, interval: 200ms}
          heat: {builtin: temperature, interval: 200ms}
          clock: {builtin: frequency, interval: 200ms}
          power: {builtin: power, interval: 200ms}
        """

    private func values(_ run: RunDirectory, _ collector: String) throws -> [JSON] {
        try run.events(.collectorOutput).filter { $0.data["collector"]?.string == collector }
            .flatMap { $0.data["rows"]?.array ?? [] }.compactMap { $0["values"] }
    }

    private func check(_ fixture: RunFixture, _ run: RunDirectory) async throws {
        let names = ["cpu", "mem", "disk", "net", "heat", "clock", "power"]
        try await fixture.wait(for: "samples of all") {
            let jobs = try run.state().jobs
            return names.allSatisfy { name in jobs.last { $0.name == name }?.samples ?? 0 >= 5 }
        }
        try await fixture.expect(0, "run", "complete")
        for value in try values(run, "cpu").dropFirst() {
            let usage = try #require(value["usage"]?.double)
            #expect((0...100).contains(usage))
        }
        #expect(try values(run, "mem").allSatisfy { $0["used"]?.double ?? 0 > 0 })
        #expect(try values(run, "net").allSatisfy { $0["received"]?.double ?? -1 >= 0 })
        // No process but the sampler's own sleep: nothing of a sample is an error's text.
        let said = try run.events(.collectorError).compactMap { $0.data["reason"]?.string }
        // A virtual machine has no sensors.
        #expect(said.filter { !$0.hasPrefix("the target has none of ") } == [])
        let header = String(decoding: try FileSystem.read(run.collectorRows("cpu")), as: UTF8.self).prefix {
            $0 != "\n"
        }
        #expect(header == "time,target_time,boottime_s,tick,exit,usage,user,system,iowait,steal,load1,running")
        let rows = try run.events(.collectorOutput).flatMap { $0.data["rows"]?.array ?? [] }
        #expect(rows.allSatisfy { $0["exit"] == 0 })
        #expect(!rows.contains { $0["text"]?.string?.contains("not found") == true })
        try await fixture.expect(0, "verify", "latest")
    }

    @Test func samplersRunOnDebian() async throws {
        try await RunFixture.with(profile: Self.profile) { fixture in
            try await check(fixture, try await fixture.start())
        }
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable)) func samplersRunOnBusyBox() async throws {
        try await RunFixture.withSmallTarget(profile: Self.profile) { fixture in
            try await check(fixture, try await fixture.start())
        }
    }

    @Test func aPauseStopsThoseThatAskForIt() async throws {
        let profile = """
            background_collectors:
              awake: {builtin: memory, interval: 200ms}
              asleep: {builtin: memory, interval: 200ms, while_paused: false}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            func job(_ name: String) throws -> JobState? { try run.state().jobs.last { $0.name == name } }
            try await fixture.wait(for: "samples") { try job("asleep")?.samples ?? 0 > 0 }
            try await fixture.expect(0, "run", "pause")
            try await fixture.wait(for: "the sampler's end") { try job("asleep")?.outcome == .stopped }
            #expect(try job("awake")?.outcome == .running)
            #expect(try run.events(.runPaused).last?.data["collectors"] == ["asleep"])
            // Whoever resumes after a crash finds it paused, and it goes on all the same.
            try await fixture.killSupervisor(of: run)
            try await fixture.expect(0, "run", "resume")
            #expect(try run.state().status == .paused)
            #expect(try job("asleep")?.outcome == .stopped)
            try await fixture.expect(0, "run", "resume")
            try await fixture.wait(for: "samples again") {
                let last = try job("asleep")
                return last?.outcome == .running && last?.samples ?? 0 > 0
            }
            try await fixture.expect(0, "run", "complete")
            #expect(try run.state().jobs(ofCollectorNamed: "asleep").count == 2)
            #expect(try run.events(.collectorGap).isEmpty)
        }
    }

    @Test func intervalsAreRoundedWhereTheTargetCannotSleepSoShort() async throws {
        // A sleep of whole seconds, as old BusyBox has it.
        let scratch = try ScratchDirectory()
        try scratch.write(
            "sleep", "#!/bin/sh\ncase $1 in *[!0-9]*) exit 1 ;; esac\nexec /bin/sleep \"$1\"\n", mode: 0o755)
        let line = "SetEnv PATH=\(scratch.path):/usr/bin:/bin"
        try await RunFixture.with(
            .init(extraLines: [line]), profile: "background_collectors: {mem: {builtin: memory, interval: 300ms}}"
        ) { fixture in
            let run = try await fixture.start()
            try await fixture.wait(for: "samples") { try run.state().jobs.last?.samples ?? 0 >= 2 }
            let said = try #require(try run.events(.collectorError).first?.data["reason"]?.string)
            #expect(said == "the target's sleep cannot do 0.3 s: it is sampled every 1.0 s")
            #expect(try run.events(.collectorStarted).first?.data["interval_s"]?.double == 1)
            try await fixture.expect(0, "run", "complete")
            #expect(try run.events(.collectorOutput).allSatisfy { $0.data["skipped"] == nil })
        }
    }
}

extension RunState {
    fileprivate func jobs(ofCollectorNamed name: String) -> [JobState] { jobs.filter { $0.name == name } }
}
