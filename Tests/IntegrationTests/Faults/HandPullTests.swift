import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Pulls by hand: what is cut goes on, what is too much is refused, what is rewritten is seen.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HandPullTests {
    private let bytes = testBytes(20_000_000)

    enum Cut: Sendable { case killed, interrupted }

    /// A pull of a large file on whose way the link stalls.
    private struct StalledPull {
        let run: RunDirectory
        let file: String
        let link: FlakyLink
        let command: RunningCommand

        init(_ bench: FaultBench, _ bytes: [UInt8]) async throws {
            let link = try #require(bench.link)
            file = try bench.fixture.scratch.write("big", bytes: bytes)
            run = try await bench.start()
            link.fail(.stall, after: 12_000_000, .toClient)
            command = try bench.fixture.background("run", "pull", file)
            try await bench.fixture.wait(for: "the stall") { !link.isArmed }
            self.link = link
        }
    }

    @Test(arguments: [Cut.killed, .interrupted]) func whatWasCutGoesOn(_ cut: Cut) async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let stalled = try await StalledPull(bench, bytes)
            let (run, big, link, pull) = (stalled.run, stalled.file, stalled.link, stalled.command)
            switch cut {
            case .killed:
                try await bench.killSupervisor(of: run)
                let result = try await pull.wait()
                #expect(result.status == 79)
                #expect(result.errorText.contains("ecr run resume, then the same command again"))
                link.restore()
                try await fixture.expect(0, "run", "resume")
            case .interrupted:
                try await fixture.interrupt(pull)
                link.restore()
                let result = try await pull.wait()
                #expect(result.status == 130)
                #expect(result.errorText.hasSuffix("0 files fetched\nstopped; typed again, it brings the rest\n"))
            }
            #expect(try FileSystem.list(run.handParts).count == 1)
            try await fixture.wait(for: "the same command") { try await fixture.ecr("run", "pull", big).status == 0 }
            let pulled = try #require(try run.events(.artifactPulled).last?.data)
            #expect(pulled["resumed_at"]?.int ?? 0 > 1_000_000)
            #expect(pulled["remote_sha256"]?.string == pulled["sha256"]?.string)
            #expect(try FileSystem.read("\(run.path)/\(pulled["path"]?.string ?? "")") == bytes)
            #expect(run.partsFolders.isEmpty)
            try await fixture.expect(0, "run", "complete")
        }
    }

    /// What is stopped again and again keeps one part of a log, not one of each of its sizes.
    @Test func aLogThatGrowsHasOnePart() async throws {
        try await FaultBench.with { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let log = try fixture.scratch.write("log", bytes: bytes)
            let run = try await bench.start()
            /// Stops a pull once so much is here.
            func pull(until size: Int64) async throws {
                link.throttle(2_500_000)
                let pull = try fixture.background("run", "pull", log)
                try await fixture.wait(for: "some of it") {
                    let told = try await fixture.expect(0, "status", "--json").json()["transfers"]?.array?.first
                    return told?["bytes"]?.int ?? 0 > size
                }
                try await fixture.interrupt(pull)
                link.throttle(nil)
                #expect(try await pull.wait().status == 130)
                #expect(try FileSystem.list(run.handParts).count == 1)
            }
            try await pull(until: 2_000_000)
            let first = FileSystem.treeSize(run.handParts)
            try File(path: log, O_WRONLY).write(bytes, at: Int64(bytes.count))
            try await pull(until: first + 2_000_000)
            #expect(FileSystem.treeSize(run.handParts) > first)
            try await fixture.expect(0, "run", "pull", log)
            let pulled = try #require(try run.events(.artifactPulled).last?.data)
            #expect(pulled["resumed_at"]?.int ?? 0 > first)
            #expect(pulled["remote_sha256"]?.string == pulled["sha256"]?.string)
            #expect(try FileSystem.read("\(run.path)/\(pulled["path"]?.string ?? "")") == bytes + bytes)
            #expect(!FileSystem.exists(run.handParts))
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test(arguments: [false, true]) func anEndedRunKeepsNoParts(_ isOffline: Bool) async throws {
        try await FaultBench.with { bench in
            let fixture = bench.fixture
            let stalled = try await StalledPull(bench, bytes)
            let run = stalled.run
            try await bench.killSupervisor(of: run)
            _ = try await stalled.command.wait()
            stalled.link.restore()
            if !isOffline { try await fixture.expect(0, "run", "resume") }
            #expect(run.partsFolders == [run.handParts])
            try await fixture.expect(0, "run", isOffline ? "abort" : "complete")
            #expect(run.partsFolders.isEmpty)
        }
    }

    @Test(arguments: [false, true]) func theWholeSystemIsTooMuch(_ servesSFTP: Bool) async throws {
        try await RunFixture.with(
            .init(servesSFTP: servesSFTP),
            profile: "actions: {hello: {commands: [\"echo hello\"]}}\ntransfers: {max_files: 5}"
        ) { fixture in
            let run = try await fixture.start()
            let result = try await fixture.expect(1, "run", "pull", "/")
            #expect(result.errorText.contains("/: more than 5 files, as transfers.max_files allows"))
            #expect(result.errorText.contains("try: pull a part of it; or "))
            #expect(try run.events(.artifactPulled).isEmpty)
            try await fixture.expect(0, "run", "action", "hello")
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test(.enabled("needs root and loop devices") { await CoarseDisk.isAvailable() })
    func aRewriteThatTheDisksTimesDoNotShowIsFetched() async throws {
        let disk = try await CoarseDisk()
        let profile = """
            actions:
              old: {commands: ["printf old >'\(disk.path)/f'"], artifacts: ["\(disk.path)/f*"]}
              new: {commands: ["printf new >'\(disk.path)/f'"], artifacts: ["\(disk.path)/f*"]}
            """
        try await RunFixture.with(profile: profile) { fixture in
            let run = try await fixture.start()
            for action in ["old", "new"] { try await fixture.expect(0, "run", "action", action) }
            for (job, text) in [("0001-old", "old"), ("0002-new", "new")] {
                #expect(try FileSystem.read("\(run.path)/artifacts/\(job)/f") == Array(text.utf8))
            }
            #expect(try run.events(.artifactPulled).allSatisfy { $0.data["version"] == nil })
            try await fixture.expect(0, "run", "complete")
        }
    }
}
