import Glibc
import LinuxSystem
import SSH
import TestSupport
import Testing

@testable import RemoteJobs

extension SSHTestServer {
    var options: SSHOptions {
        SSHOptions(host: host, port: port, user: user, keyFile: clientKey, knownHostsFile: knownHosts, timeout: 20)
    }
}

/// A connected target with a spool in the server's scratch directory.
struct TargetFixture<Server: SSHTestServer> {
    let server: Server
    let target: Target
    let root: String
    let spool: String

    static var controller: ControllerIdentity { ControllerIdentity(id: "c0ffee", name: "me@laptop") }

    init(_ server: Server) async throws {
        self.server = server
        target = try await Target.connect(server.options)
        root = server.scratch.path("spools")
        spool = try await target.makeSpool(root: root, for: Self.controller, now: "2026-01-27T14:30:52Z").path
    }

    func request(_ commands: String..., job: String = "0001-job", timeout: Double? = nil) -> JobRequest {
        JobRequest(job: job, spool: spool, commands: commands, timeout: timeout)
    }

    /// Launches and waits for the announcement.
    func run(_ request: JobRequest) async throws -> ExitRecord {
        #expect(try await target.launch(request) == .launched)
        return try #require(await target.dispatcher.announcedExit(of: request.job, within: 20_000))
    }

    func read(_ name: String, from offset: Int64 = 0, count: Int = 32_768) async throws -> [UInt8] {
        let file = await SpoolFile("\(spool)/\(name)", on: target)
        defer { Task { await file.close() } }
        return try await file.read(at: offset, count: count)
    }
}

/// What every target must do, whichever program serves it.
private struct Conformance<Server: SSHTestServer> {
    let server: Server

    func aJobIsLaunchedOnceAndItsEndAnnounced() async throws {
        let fixture = try await TargetFixture(server)
        let target = fixture.target
        var request = fixture.request("printf 'out'; printf '%s' \"$A\" >&2; echo 1 >>\"$ECR_OUT/count\"; exit 3")
        request.environment = [("A", "it's\nmine")]
        let record = try await fixture.run(request)
        #expect(record.status == 3)
        #expect(record.stdoutBytes == 3)
        #expect(record.hasFiles)
        #expect(try await fixture.read("0001/stdout") == Array("out".utf8))
        #expect(try await fixture.read("0001/stderr") == Array("it's\nmine".utf8))
        #expect(try await target.launch(request) == .claimedBefore)
        #expect(try await fixture.read("0001/out/count") == Array("1\n".utf8))
        #expect(try await target.standing(of: "0001-job", in: fixture.spool) == .ended(record))
        #expect(try await target.standing(of: "0002-other", in: fixture.spool) == .unclaimed)
        #expect(try await target.standing(of: "0001-job", in: fixture.root + "/none") == .spoolLost)
        let lost = JobRequest(job: "0001-job", spool: fixture.root + "/none", commands: ["true"])
        #expect(try await target.launch(lost) == .spoolLost)
        await target.close()
    }

    func aJobOutlivesItsConnection() async throws {
        let fixture = try await TargetFixture(server)
        let go = server.scratch.path("go")
        let request = fixture.request("echo begun; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo ended")
        #expect(try await fixture.target.launch(request) == .launched)
        #expect(await fixture.target.dispatcher.announcedExit(of: request.job, within: 1) == nil)
        server.killConnections()
        _ = await fixture.target.session.waitUntilLost()
        await fixture.target.close()

        let again = try await Target.connect(server.options)
        #expect(again.facts.boot == fixture.target.facts.boot)
        #expect(try await again.standing(of: request.job, in: fixture.spool) == .running)
        #expect(try await again.launch(request) == .claimedBefore)
        try server.scratch.write("go", "")
        var standing = JobStanding.running
        while standing == .running { standing = try await again.standing(of: request.job, in: fixture.spool) }
        guard case .ended(let record) = standing else { throw Unexpected("\(standing)") }
        #expect(record.status == 0)
        let output = try await SpoolFile("\(request.folder)/stdout", on: again).read(at: 0)
        #expect(String(decoding: output, as: UTF8.self) == "begun\nended\n")
        await again.close()
    }

    func aJobIsCancelledWithItsGroup() async throws {
        let fixture = try await TargetFixture(server)
        let sleep = Processes.uniqueSleep()
        let request = fixture.request("sleep \(sleep) & sleep \(sleep)")
        #expect(try await fixture.target.launch(request) == .launched)
        while try await fixture.target.standing(of: request.job, in: fixture.spool) == .claimedOnly {}
        #expect(try await fixture.target.standing(of: request.job, in: fixture.spool) == .running)
        while !Processes.exist(withArgument: sleep) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await fixture.target.cancel(job: request.job, in: fixture.spool))
        let record = try #require(await fixture.target.dispatcher.announcedExit(of: request.job, within: 20_000))
        #expect(record.reason == .cancel)
        #expect(record.death == .confirmed)
        #expect(!Processes.exist(withArgument: sleep))
        #expect(try await !fixture.target.cancel(job: request.job, in: fixture.spool))
        await fixture.target.close()
    }

    func aTimeoutIsKeptByTheTarget() async throws {
        let fixture = try await TargetFixture(server)
        let sleep = Processes.uniqueSleep()
        #expect(try await fixture.target.launch(fixture.request("sleep \(sleep)", timeout: 0.5)) == .launched)
        // Nobody watches.
        server.killConnections()
        _ = await fixture.target.session.waitUntilLost()
        await fixture.target.close()
        let again = try await Target.connect(server.options)
        var standing = JobStanding.running
        while standing == .running || standing == .claimedOnly {
            standing = try await again.standing(of: "0001-job", in: fixture.spool)
        }
        guard case .ended(let record) = standing else { throw Unexpected("\(standing)") }
        #expect(record.reason == .timeout)
        #expect(!Processes.exist(withArgument: sleep))
        await again.close()
    }

    func theClockAndTheFactsAreThoseOfThisMachine() async throws {
        let target = try await Target.connect(server.options)
        #expect(target.facts.boot == Clock.bootID)
        #expect(target.facts.uid == "\(getuid())")
        #expect(target.facts.user == Host.userName)
        #expect(target.facts.kernel.hasPrefix("Linux "))
        #expect(target.facts.uptime > 0)
        #expect(target.facts.tools.isSuperset(of: ["dd", "tar"]))
        let clock = try await target.readClock()
        // One machine has one clock: whatever is measured as its offset must lie within the uncertainty.
        #expect(abs(try #require(clock.offset)) <= clock.uncertainty + 0.001)
        #expect(clock.roundTrip > 0)
        let uptime = Double(Clock.boottimeNanoseconds()) / 1e9
        #expect(clock.targetUptime <= uptime + 0.01 && clock.targetUptime > uptime - 60)
        await target.close()
    }
}

struct Unexpected: Error { let what: String; init(_ what: String) { self.what = what } }

@Suite(.serialized, .timeLimit(.minutes(2))) struct OpenSSHTargetTests {
    @Test func jobs() async throws {
        try await Conformance(server: SSHServer.start()).aJobIsLaunchedOnceAndItsEndAnnounced()
    }
    @Test(arguments: [SSHServer.Options(servesSFTP: false), SSHServer.Options(maxSessions: 1)])
    func jobsWithoutSFTP(options: SSHServer.Options) async throws {
        try await Conformance(server: SSHServer.start(options)).aJobIsLaunchedOnceAndItsEndAnnounced()
    }
    @Test func aLoginShellThatRunsNothingSaysWhy() async throws {
        let server = try await SSHServer.start(.init(extraLines: ["ForceCommand echo no shell here >&2; exit 9"]))
        // It may be gone before it is written to.
        for _ in 1...10 {
            let error = await #expect(throws: SSHError.self) { try await Target.connect(server.options) }
            #expect(
                error?.message == "the target's login shell ended before it ran anything (exit 9): no shell here",
                "\(String(describing: error))")
        }
    }
    @Test func survival() async throws { try await Conformance(server: SSHServer.start()).aJobOutlivesItsConnection() }
    @Test func cancelling() async throws {
        try await Conformance(server: SSHServer.start()).aJobIsCancelledWithItsGroup()
    }
    @Test func timeouts() async throws { try await Conformance(server: SSHServer.start()).aTimeoutIsKeptByTheTarget() }
    @Test func facts() async throws {
        try await Conformance(server: SSHServer.start()).theClockAndTheFactsAreThoseOfThisMachine()
    }
}

/// The server of many small devices.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: DropbearServer.isAvailable)) struct DropbearTargetTests {
    @Test func jobs() async throws {
        try await Conformance(server: DropbearServer.start()).aJobIsLaunchedOnceAndItsEndAnnounced()
    }
    @Test func survival() async throws {
        try await Conformance(server: DropbearServer.start()).aJobOutlivesItsConnection()
    }
    @Test func cancelling() async throws {
        try await Conformance(server: DropbearServer.start()).aJobIsCancelledWithItsGroup()
    }
    @Test func timeouts() async throws {
        try await Conformance(server: DropbearServer.start()).aTimeoutIsKeptByTheTarget()
    }
    @Test func facts() async throws {
        try await Conformance(server: DropbearServer.start()).theClockAndTheFactsAreThoseOfThisMachine()
    }
}
