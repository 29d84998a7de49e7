import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// A controller whose wall clock steps while an action runs.
@Suite(.serialized, .enabled(if: FalseClock.isAvailable, "needs libfaketime"), .timeLimit(.minutes(2)))
struct ClockFaultTests {
    @Test func stepsOfTheClockStretchNothing() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let clock = try FalseClock()
            let started = try await bench.fixture.ecr(["run", "start", "profile.yaml"], environment: clock.environment)
            #expect(started.status == 0, "\(started.errorText)")
            let run = bench.fixture.run(started)
            let action = try await bench.beginCount(on: run)
            for (number, seconds) in [86_400, 0].enumerated() {
                try clock.set(aheadBy: Double(seconds))
                try await bench.fixture.wait(for: "the jump") { try run.events(.clockJump).count > number }
            }
            try bench.openGate()
            #expect(try await action.wait().status == 0)
            let jumps = try run.events(.clockJump).compactMap { $0.data["step_s"]?.double }
            #expect(jumps.map { ($0 / 10).rounded() } == [8640, -8640])
            let duration = try #require(try run.events(.actionCompleted).first?.data["duration_s"]?.double)
            #expect((0..<120).contains(duration))
            let boottimes = try run.allEvents().map(\.boottimeNanoseconds)
            #expect(boottimes == boottimes.sorted())
            try await bench.complete(run)
        }
    }
}
