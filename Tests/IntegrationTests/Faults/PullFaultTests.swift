import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Pulls that are cut: they go on where they were, and what arrives is what is there.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PullFaultTests {
    private let bytes = testBytes(20_000_000)

    private func profile(_ bench: FaultBench, _ method: String) throws {
        try bench.fixture.write(
            """
            actions:
              fetch:
                commands: ["\(bench.witnessed("echo fetch"))"]
                artifacts: [{path: "\(bench.fixture.scratch.path("tree"))", allow_old: true}]
            transfers: {method: \(method)}
            """)
    }

    private func check(_ run: RunDirectory, _ contents: [String: [UInt8]]) throws -> [JSONObject] {
        let pulled = try run.events(.artifactPulled).map(\.data)
        #expect(pulled.count == contents.count)
        for (name, bytes) in contents {
            #expect(try FileSystem.read("\(run.path)/artifacts/0001-fetch/\(name)") == bytes)
        }
        for artifact in pulled { #expect(artifact["remote_sha256"]?.string == artifact["sha256"]?.string) }
        #expect(try FileSystem.list("\(run.path)/artifacts/0001-fetch") == contents.keys.sorted())
        return pulled
    }

    @Test(arguments: ["sftp", "exec", "scp"], [FlakyLink.Fault.cut, .reset])
    func aLargeFileGoesOn(_ method: String, _ fault: FlakyLink.Fault) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            try bench.fixture.scratch.write("tree/big", bytes: bytes)
            try profile(bench, method)
            let run = try await bench.start()
            link.fail(fault, after: 12_000_000, .toClient)
            try await bench.fixture.expect(0, "run", "action", "fetch")
            let pulled = try check(run, ["big": bytes])
            // The old protocol begins at the beginning.
            #expect((pulled.first?["resumed_at"]?.int ?? 0 > 1_000_000) == (method != "scp"))
            try await bench.complete(run)
        }
    }

    @Test(arguments: ["sftp", "exec", "scp"])
    func aFileThatIsRemovedWhileItIsReadComesAndIsSaidSo(_ method: String) async throws {
        try await FaultBench.with(connection: ["keepalive": "60"]) { bench in
            let (fixture, link) = (bench.fixture, try #require(bench.link))
            let big = try fixture.scratch.write("big", bytes: bytes)
            let run = try await bench.start()
            link.fail(.stall, after: 5_000_000, .toClient)
            let pull = try fixture.background("run", "pull", "--method", method, big)
            try await fixture.wait(for: "the stall") { !link.isArmed }
            unlink(big)
            link.restore()
            let result = try await pull.wait()
            #expect(result.status == 0, "\(result.errorText)")
            let path = "artifacts/pulled/0001/big"
            #expect(
                result.errorText.contains("warning: \(path) was removed while it was read\n"), "\(result.errorText)")
            let pulled = try #require(try run.events(.artifactPulled).last?.data)
            #expect(pulled["changed"]?.bool == true && pulled["unverified"] == nil)
            #expect(try FileSystem.read("\(run.path)/\(path)") == bytes)
            try await bench.complete(run)
        }
    }

    /// The link stands, so that these are no breaks of it; and more of them than an end that brings nothing may have.
    @Test func aLargeFileThatComesInManyPiecesArrives() async throws {
        let scratch = try ScratchDirectory()
        let server = try scratch.write(
            "sftp", "#!/bin/sh\nexec /usr/lib/openssh/sftp-server -d '\(scratch.path)'\n", mode: 0o755)
        // A slow link's sign of life waits behind the file.
        try await FaultBench.with(
            .init(servesSFTP: false, extraLines: ["Subsystem sftp \(server)"]), connection: ["keepalive": "3"]
        ) { bench in
            let (link, fixture) = (try #require(bench.link), bench.fixture)
            // So much that a busy machine, which looks seldom, does not find it whole.
            let bytes = bytes + bytes + bytes
            try fixture.scratch.write("tree/big", bytes: bytes)
            try profile(bench, "sftp")
            let run = try await bench.start()
            // The first connection has one, too. Of two the later one need not have the higher number.
            let first = Processes.ids(withArgument: scratch.path)
            link.throttle(2_000_000)
            let action = try fixture.background("run", "action", "fetch")
            for _ in 0..<4 {
                try await fixture.wait(for: "some more of it") {
                    let status = try await fixture.ecr("run", "status", "--json").json()
                    let transfer = status["transfers"]?.array?.first
                    let came = (transfer?["bytes"]?.int ?? 0) - (transfer?["bytes_before"]?.int ?? 0)
                    let servers = Processes.ids(withArgument: scratch.path).filter { !first.contains($0) }
                    guard came >= 1_000_000, servers.count == 1 else { return false }
                    Processes.kill(servers[0])
                    return true
                }
            }
            link.throttle(nil)
            let result = try await action.wait()
            #expect(result.status == 0, "\(result.errorText)")
            #expect(try check(run, ["big": bytes]).first?["resumed_at"]?.int ?? 0 > 1_000_000)
            try await bench.complete(run)
        }
    }

    @Test func anArchiveGoesOnWithWhatHasNotCome() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            var contents: [String: [UInt8]] = [:]
            for number in 0..<40 {
                let piece = Array(bytes[(number * 500_000)..<((number + 1) * 500_000)])
                contents["f\(number)"] = piece
                try bench.fixture.scratch.write("tree/f\(number)", bytes: piece)
            }
            try profile(bench, "auto")
            let run = try await bench.start()
            link.fail(.cut, after: 12_000_000, .toClient)
            try await bench.fixture.expect(0, "run", "action", "fetch")
            _ = try check(run, contents)
            try await bench.complete(run)
        }
    }

    @Test(arguments: ["sftp", "exec"]) func aSupervisorThatDiedLeavesItsPart(_ method: String) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            try bench.fixture.scratch.write("tree/big", bytes: bytes)
            try profile(bench, method)
            let run = try await bench.start()
            link.fail(.stall, after: 12_000_000, .toClient)
            let action = try bench.fixture.background("run", "action", "fetch")
            try await bench.fixture.wait(for: "the stall") { !link.isArmed }
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            link.restore()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0001-fetch")
            let pulled = try check(run, ["big": bytes])
            #expect(pulled.first?["resumed_at"]?.int ?? 0 > 1_000_000)
            try await bench.complete(run)
        }
    }

    /// Brief files are written where they belong before they are on record.
    private func briefFiles(_ bench: FaultBench) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for number in 0..<40 {
            let piece = Array(bytes[(number * 100_000)..<((number + 1) * 100_000)])
            contents["f\(number)"] = piece
            try bench.fixture.scratch.write("tree/f\(number)", bytes: piece)
        }
        return contents
    }

    @Test func briefFilesThatWereThereWithoutARecordComeOnce() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            let contents = try briefFiles(bench)
            try profile(bench, "tar")
            let run = try await bench.start()
            link.fail(.stall, after: 2_000_000, .toClient)
            let action = try bench.fixture.background("run", "action", "fetch")
            try await bench.fixture.wait(for: "the stall") { !link.isArmed }
            let folder = "\(run.path)/artifacts/0001-fetch"
            try await bench.fixture.wait(for: "some files") { ((try? FileSystem.list(folder)) ?? []).count > 3 }
            try await bench.killSupervisor(of: run)
            _ = try await action.wait()
            link.restore()
            try await bench.fixture.expect(0, "run", "resume")
            try await bench.fixture.expect(0, "run", "follow", "0001-fetch")
            _ = try check(run, contents)
            try await bench.complete(run)
        }
    }

    @Test func briefFilesThatWereGivenUpLeaveNothing() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            _ = try briefFiles(bench)
            try profile(bench, "tar")
            let run = try await bench.start()
            link.throttle(400_000)
            let action = try bench.fixture.background("run", "action", "fetch")
            let folder = "\(run.path)/artifacts/0001-fetch"
            try await bench.fixture.wait(for: "some files") { ((try? FileSystem.list(folder)) ?? []).count > 3 }
            try await bench.fixture.expect(0, "run", "cancel", "0001-fetch")
            #expect(try await action.wait().status == 0)
            #expect(try run.events(.artifactPulled).isEmpty)
            #expect(((try? FileSystem.list(folder)) ?? []).isEmpty)
            link.throttle(nil)
            try await bench.complete(run)
        }
    }

    @Test(arguments: ["sftp", "exec"]) func aFileThatIsAnotherByThenIsFetchedAnew(_ method: String) async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            try bench.fixture.scratch.write("tree/big", bytes: bytes)
            try profile(bench, method)
            let run = try await bench.start()
            link.fail(.stall, after: 12_000_000, .toClient)
            let action = try bench.fixture.background("run", "action", "fetch")
            try await bench.fixture.wait(for: "the stall") { !link.isArmed }
            let other = Array(bytes.reversed())
            try bench.fixture.scratch.write("tree/big", bytes: other)
            link.fail(.reset)
            link.restore()
            #expect(try await action.wait().status == 0)
            _ = try check(run, ["big": other])
            try await bench.complete(run)
        }
    }

    // MARK: Ends

    @Test func filesOfAJobThatAreOnTheirWayCanBeGivenUp() async throws {
        try await FaultBench.with { bench in
            let link = try #require(bench.link)
            try bench.fixture.scratch.write("tree/big", bytes: bytes)
            try profile(bench, "auto")
            let run = try await bench.start()
            link.throttle(100_000)
            let action = try bench.fixture.background("run", "action", "fetch")
            try await bench.fixture.wait(for: "the pull") { try !run.events(.artifactPullStarted).isEmpty }
            try await bench.fixture.expect(0, "run", "cancel", "0001-fetch")
            // The commands had ended well before.
            #expect(try await action.wait().status == 0)
            let failed = try run.events(.artifactPullFailed).map(\.data)
            #expect(failed.map { $0["reason"]?.string } == ["cancelled"])
            #expect(try run.events(.actionCompleted).count == 1 && run.events(.artifactPulled).isEmpty)
            link.throttle(nil)
            try await bench.complete(run)
        }
    }

    @Test(
        .enabled("needs root, and a kernel whose log can be read") { await PullFaultTests.hasKernelLog() },
        .timeLimit(.minutes(1)))
    func aReadThatHangsHoldsUpNothingElse() async throws {
        try await FaultBench.with(hasLink: false) { bench in
            let run = try await bench.start()
            let pull = try bench.fixture.background("run", "pull", "/proc/kmsg")
            try await bench.fixture.wait(for: "the pull") { try !run.events(.artifactPullStarted).isEmpty }
            try await bench.fixture.expect(0, "run", "action", "quick")
            kill(pull.pid, SIGINT)
            #expect(try await pull.wait().status == 130)
            try await bench.fixture.expect(0, "run", "action", "quick")
            try await bench.complete(run)
        }
    }

    private static func hasKernelLog() async -> Bool {
        let read = try? await Command.run(
            "/bin/sh", ["-c", "[ -f /proc/kmsg ] && timeout 1 cat /proc/kmsg >/dev/null"])
        return read?.status == 124
    }
}
