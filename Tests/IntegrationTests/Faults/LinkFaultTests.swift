import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Every kind of broken link in every phase of an action: nothing is lost, and nothing runs twice.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LinkFaultTests {
    private func losses(_ run: RunDirectory) throws -> Int { try run.events(.connectionLost).count }

    /// Waits until the link was lost and stands again.
    private func waitForReturn(_ bench: FaultBench, _ run: RunDirectory, after losses: Int) async throws {
        try await bench.fixture.wait(for: "the loss") { try self.losses(run) > losses }
        try await bench.fixture.wait(for: "the way back") { try run.state().isConnected }
    }

    // MARK: Launch

    /// A launch and its answers are some 1500 bytes there and some 900 back.
    @Test(arguments: [FlakyLink.Fault.cut, .reset])
    func aLaunchThatIsCutAtAnyByteHappensOnce(_ fault: FlakyLink.Fault) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            for (direction, bytes) in [
                (FlakyLink.Direction.toServer, [1, 500, 1100]), (.toClient, [100, 600]),
            ] {
                for count in bytes {
                    link.fail(fault, after: count, direction)
                    let result = try await bench.fixture.expect(0, "run", "action", "quick")
                    #expect(result.outputText.hasPrefix("hello from "))
                }
            }
            link.restore()
            #expect(try losses(run) > 0)
            #expect(try run.events(.actionCompleted).count == 5)
            try await bench.complete(run)
        }
    }

    @Test(arguments: [100, 1400])
    func aLaunchThatIsStalledHappensOnce(_ bytes: Int) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            link.fail(.stall, after: bytes, .toServer)
            let action = try bench.fixture.background("run", "action", "quick")
            try await bench.fixture.wait(for: "the loss") { try self.losses(run) > 0 }
            // What was held back arrives now, late, beside what is sent again.
            link.restore()
            #expect(try await action.wait().status == 0)
            try await bench.complete(run)
        }
    }

    @Test func aSlowLaunchIsALaunch() async throws {
        try await FaultBench.with(connection: ["keepalive": "3"]) { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            link.throttle(4000)
            link.delay(.milliseconds(50))
            try await bench.fixture.expect(0, "run", "action", "quick")
            link.throttle(nil)
            #expect(try losses(run) == 0)
            try await bench.complete(run)
        }
    }

    // MARK: Output

    @Test(arguments: FlakyLink.Fault.allCases)
    func outputGoesOnBehindABreak(_ fault: FlakyLink.Fault) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            link.fail(fault)
            if fault == .stall {
                try await bench.fixture.wait(for: "the loss") { try self.losses(run) > 0 }
                try await bench.note("the cable is out")
                // The job writes the rest and ends while nobody can reach it.
                try bench.openGate()
                link.restore()
            } else {
                try await waitForReturn(bench, run, after: 0)
                try bench.openGate()
            }
            let result = try await action.wait()
            #expect(result.status == 0)
            #expect(try result.output == run.output("0002-count"))
            try await bench.complete(run)
        }
    }

    @Test(arguments: [FlakyLink.Fault.cut, .reset])
    func outputThatIsCutWithinAChunkIsWhole(_ fault: FlakyLink.Fault) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            link.fail(fault, after: 3000, .toClient)
            try bench.openGate()
            #expect(try await action.wait().status == 0)
            #expect(try losses(run) > 0)
            try await bench.complete(run)
        }
    }

    @Test func aThinLinkBringsEverything() async throws {
        try await FaultBench.with(connection: ["keepalive": "3"]) { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            link.throttle(200_000)
            let action = try await bench.beginCount(on: run)
            try bench.openGate()
            #expect(try await action.wait().status == 0)
            #expect(try losses(run) == 0)
            link.throttle(nil)
            try await bench.complete(run)
        }
    }

    // MARK: Artifacts

    @Test(arguments: FlakyLink.Fault.allCases)
    func aPullThatIsBrokenIsMadeWhole(_ fault: FlakyLink.Fault) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            // Behind the second half of the output, within the 300 kB of the artifact.
            link.fail(fault, after: 120_000, .toClient)
            try bench.openGate()
            try await bench.fixture.wait(for: "the loss") { try self.losses(run) > 0 }
            link.restore()
            #expect(try await action.wait().status == 0)
            #expect(try run.events(.artifactPulled).map { $0.data["size"]?.int } == [300_000])
            try await bench.complete(run)
            let files = try FileSystem.list("\(run.artifacts)/0002-count")
            #expect(files == ["result"])
        }
    }

    // MARK: Complete

    @Test(arguments: [(FlakyLink.Fault.cut, 60), (.stall, 400), (.reset, 60), (.reset, 400)])
    func aCompletionThatIsBrokenCanBeRepeated(_ fault: FlakyLink.Fault, _ bytes: Int) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            try bench.openGate()
            try await bench.fixture.expect(0, "run", "action", "count")
            link.fail(fault, after: bytes, .toServer)
            let first = try bench.fixture.background("run", "complete")
            if fault == .stall {
                try await bench.fixture.wait(for: "the loss") { try self.losses(run) > 0 }
                link.restore()
            }
            let result = try await first.wait()
            link.restore()
            #expect([0, 69].contains(result.status), "\(result.errorText)")
            if result.status == 0 { return try bench.check(run) }
            #expect(result.errorText.contains("try: "))
            try await bench.complete(run)
        }
    }

    // MARK: A server that is not there

    @Test func aRefusedConnectionIsTriedAgain() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            link.refuse()
            link.fail(.reset)
            try await bench.fixture.wait(for: "retries") { try run.events(.connectionRetry).count >= 2 }
            try bench.openGate()
            link.restore()
            #expect(try await action.wait().status == 0)
            try await bench.complete(run)
        }
    }

    @Test func samplesThatWereTakenMeanwhileArrive() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let run = try await bench.start()
            try await bench.fixture.wait(for: "samples") { try run.state().job("0001-load")?.samples ?? 0 > 2 }
            link.fail(.stall)
            link.fail(.cut)
            try await bench.fixture.wait(for: "the loss") { try self.losses(run) > 0 }
            let before = try #require(try run.state().job("0001-load")?.samples)
            try await Task.sleep(for: .seconds(1))
            link.restore()
            try await bench.fixture.wait(for: "later samples") {
                try run.state().job("0001-load")?.samples ?? 0 >= before + 5
            }
            try await bench.complete(run)
            let rows = try run.events(.collectorOutput).flatMap { $0.data["rows"]?.array ?? [] }
            let sampling = try #require(try run.state().job("0001-load")?.sampling)
            // A target that is busy for a whole interval skips a tick; none is lost.
            #expect(sampling.lost == 0 && sampling.nextTick == Int64(rows.count) + sampling.overruns)
        }
    }
}

/// The same where the kernel's own TCP sees the fault.
@Suite(.serialized, .enabled("needs root, ip, iptables and tc") { await Cable.isAvailable() }, .timeLimit(.minutes(3)))
struct CableFaultTests {
    @Test func aCableThatIsOutForAWhileLosesNothing() async throws {
        let cable = try await Cable()
        try await FaultBench.with(.init(place: .behind(cable)), hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try await cable.cut()
            try await bench.fixture.wait(for: "the loss") { try !run.events(.connectionLost).isEmpty }
            try bench.openGate()
            try await cable.restore()
            #expect(try await action.wait().status == 0)
            try await bench.complete(run)
        }
    }

    @Test func aRouterThatForgetsConnectionsLosesNothing() async throws {
        let cable = try await Cable()
        try await FaultBench.with(.init(place: .behind(cable)), hasLink: false) { bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try await cable.reject()
            try await bench.fixture.wait(for: "a retry") { try !run.events(.connectionRetry).isEmpty }
            try bench.openGate()
            try await cable.restore()
            #expect(try await action.wait().status == 0)
            try await bench.complete(run)
        }
    }

    @Test func aModemLineBringsEverything() async throws {
        let cable = try await Cable()
        try await FaultBench.with(.init(place: .behind(cable)), hasLink: false, connection: ["keepalive": "3"]) {
            bench in
            let run = try await bench.start()
            let action = try await bench.beginCount(on: run)
            try await cable.throttle("2mbit")
            try bench.openGate()
            #expect(try await action.wait().status == 0)
            #expect(try run.events(.connectionLost).isEmpty)
            try await cable.restore()
            try await bench.complete(run)
        }
    }
}
