import EventLog
import JSON
import RunStore
import TestSupport
import Testing

/// The target's clock against the controller's: what is recorded, and that the truth lies within its bounds.
@Suite struct ClockTests {
    @Test(.enabled(if: FalseClock.isAvailable), arguments: [0, 50, 200])
    func theOffsetIsWithinItsBounds(milliseconds: Int) async throws {
        let clock = try FalseClock(aheadBy: 1234.5)
        try await RunFixture.with(.init(extraLines: [clock.serverLine])) { fixture in
            let link = try FlakyLink(to: fixture.server.port)
            link.delay(.milliseconds(milliseconds / 2))
            try fixture.write(
                "actions: {hello: {commands: [\"echo hello\"]}}",
                connection: [
                    "host": "127.0.0.1", "port": "\(link.port)", "clock_interval": "1s",
                    "host_key": try Self.hostKey(fixture), "known_hosts": "/dev/null",
                ])
            let run = try await fixture.start()
            try await fixture.wait(for: "further comparisons") { try run.events(.clockOffset).count >= 3 }
            let began = try #require(try run.allEvents().first).boottimeNanoseconds
            for event in try run.events(.clockOffset) {
                let offset = try #require(event.data["offset_s"]?.double)
                let bound = try #require(event.data["uncertainty_s"]?.double)
                let trip = try #require(event.data["rtt_s"]?.double)
                #expect(abs(offset - 1234.5) <= bound, "\(event.data)")
                // No more than the link's share, and what clocks may drift apart while the exchanges take their time.
                let time = Double(event.boottimeNanoseconds - began) / 1e9
                #expect(bound > 0 && bound <= trip / 2 + 0.002 + time * 500e-6)
                #expect(event.data["step_s"] == nil)
            }
        }
    }

    @Test(.enabled(if: FalseClock.isAvailable)) func aStepOfTheTargetsClockIsRecorded() async throws {
        let clock = try FalseClock(aheadBy: 100)
        try await RunFixture.with(.init(extraLines: [clock.serverLine])) { fixture in
            try fixture.write(
                "actions: {hello: {commands: [\"echo hello\"]}}", connection: ["clock_interval": "1s"])
            let run = try await fixture.start()
            try await fixture.wait(for: "a comparison") { try run.events(.clockOffset).count >= 2 }
            try clock.set(aheadBy: 130)
            try await fixture.wait(for: "the step") {
                try run.events(.clockOffset).contains { $0.data["step_s"] != nil }
            }
            let steps = try run.events(.clockOffset).compactMap { $0.data["step_s"]?.double }
            #expect(abs(steps.reduce(0, +) - 30) < 0.5)
        }
    }

    @Test(.enabled(if: DropbearServer.isSmallAvailable)) func wholeSecondsAreRefined() async throws {
        let server = try await DropbearServer.startSmall(without: [])
        let scratch = server.scratch
        try scratch.write(
            "profile.yaml",
            """
            name: small
            connection: {host: "\(server.host)", port: \(server.port), user: "\(server.user)", key_file: "\(server.clientKey)", known_hosts: "\(server.knownHosts)", clock_interval: 600}
            actions: {hello: {commands: [\"echo hello\"]}}
            """)
        let ecr = try BuiltProducts.ecr()
        let started = try await Command.run(
            ecr, ["run", "start", "profile.yaml"], environment: RunFixture.settings, workingDirectory: scratch.path)
        try #require(started.status == 0, "\(started.errorText)")
        defer { Processes.ids(withArgument: scratch.path).forEach { Processes.kill($0) } }
        let run = RunDirectory(path: scratch.path("runs/\(started.outputText.prefix { $0 != "\n" })"))
        for _ in 0..<1000 where try run.events(.clockOffset).count < 2 { try await Task.sleep(for: .milliseconds(20)) }
        let refined = try #require(try run.events(.clockOffset).dropFirst().first?.data)
        let offset = try #require(refined["offset_s"]?.double)
        let bound = try #require(refined["uncertainty_s"]?.double)
        // One machine has one clock.
        #expect(abs(offset) <= bound)
        #expect(refined["resolution_s"]?.double == 1)
        // The second alone would leave half of one.
        #expect(bound < 0.25)
        _ = try await Command.run(
            ecr, ["run", "abort"], environment: RunFixture.settings, workingDirectory: scratch.path)
    }

    private static func hostKey(_ fixture: RunFixture) throws -> String { "\"\(fixture.server.hostKeyFingerprint)\"" }
}
