import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import Synchronization
import TestSupport
import Testing

/// A run that is made to suffer: its jobs leave witnesses of themselves on the target, its operator keeps what was
/// acknowledged, and its link can fail. `check` compares all three with the record.
final class FaultBench: Sendable {
    let fixture: RunFixture
    let link: FlakyLink?
    private let acknowledged = Mutex<[Int64: String]>([:])

    private init(_ fixture: RunFixture, _ link: FlakyLink?) {
        self.fixture = fixture
        self.link = link
    }

    /// Starts a server, and a link before it, and runs a body with the profile written and no run begun.
    /// - Parameters:
    ///   - isInMemory: the runs are in memory, for tests that sync very often.
    ///   - connection: further keys of `connection:`.
    ///   - extra: further top-level keys of the profile.
    static func with(
        _ options: SSHServer.Options = .init(), hasLink: Bool = true, isInMemory: Bool = false,
        connection: [String: String] = [:],
        extra: String = "", _ body: (FaultBench) async throws -> Void
    ) async throws {
        let server = try await SSHServer.start(options)
        let link = hasLink ? try FlakyLink(to: server.port) : nil
        var fixture = RunFixture(server: server, scratch: try ScratchDirectory(isInMemory: isInMemory))
        // Origin of 0.2: a dead link is found in 0.6 s, while a busy machine still answers in time.
        fixture.connection = ["keepalive": "0.2", "host_key": "\"\(server.hostKeyFingerprint)\""]
        if let link { fixture.connection["port"] = "\(link.port)" }
        fixture.connection.merge(connection) { $1 }
        let bench = FaultBench(fixture, link)
        try FileSystem.makeDirectory(bench.witness)
        try fixture.write(bench.profile + extra)
        try await fixture.use { _ in try await body(bench) }
    }

    // MARK: The jobs

    /// What the jobs leave behind on the target: `starts`, a line for each that began, and `copy.<job>`, what it wrote.
    var witness: String { fixture.scratch.path("witness") }

    private var profile: String {
        """
        actions:
          count:
            commands:
              - |
                \(witnessed("i=1; while [ $i -le 400 ]; do echo \"line $i ü of $ECR_JOB\"; i=$((i+1)); done; echo half >&2; "
                    + "while [ ! -e '\(gate)' ]; do sleep 0.02; done; "
                    + "while [ $i -le 800 ]; do echo \"line $i ü of $ECR_JOB\"; i=$((i+1)); done"))
                dd if=/dev/urandom of="$ECR_OUT/result" bs=1000 count=300 2>/dev/null
          quick:
            retries: 1
            commands: ["\(witnessed("echo hello from $ECR_JOB")); echo 1 >$ECR_OUT/result"]
        background_collectors: {load: {command: "cat /proc/loadavg", interval: 0.2}}

        """
    }

    /// Shell text that notes its start and keeps a copy of its output.
    func witnessed(_ command: String) -> String {
        "echo $ECR_JOB >>'\(witness)/starts'; { \(command); } | tee '\(witness)'/copy.$ECR_JOB"
    }

    private var gate: String { fixture.scratch.path("go") }

    /// Lets `count` write its second half.
    func openGate() throws { try fixture.scratch.write("go", "") }

    func closeGate() { unlink(gate) }

    /// The facts of the start come by themselves: they have a file in the spool, and an event, until then.
    func waitForFacts(of run: RunDirectory) async throws {
        try await fixture.wait(for: "the facts of the start") {
            try run.events(.targetFacts).contains { $0.data["at"] == "start" }
        }
    }

    // MARK: The operator

    func start(at location: SourceLocation = #_sourceLocation) async throws -> RunDirectory {
        try await fixture.start(at: location)
    }

    /// Records a note and keeps what was printed; a note that was not acknowledged is none.
    @discardableResult
    func note(_ text: String) async throws -> Int32 {
        let result = try await fixture.ecr("note", text, "--json")
        guard result.status == 0 else { return result.status }
        let seq = try #require(try result.json()["seq"]?.int)
        acknowledged.withLock { $0[seq] = text }
        return 0
    }

    /// Records notes until one is refused: a full disk may have room for some lines in a block that is its own already.
    func noteUntilRefused(_ text: String) async throws -> Int32 {
        for number in 1...100 {
            let status = try await note("\(text) \(number)")
            if status != 0 { return status }
        }
        return 0
    }

    /// How many notes were acknowledged.
    var notes: Int { acknowledged.withLock { $0.count } }

    /// Begins `count` and waits until the first half of its output is on record.
    func beginCount(on run: RunDirectory) async throws -> RunningCommand {
        let action = try fixture.background("run", "action", "count")
        try await action.waitForError("half")
        try await fixture.wait(for: "the first half") {
            try run.state().openJobs.contains { $0.name == "count" && $0.stdoutBytes == Self.firstHalf(of: $0.id) }
        }
        return action
    }

    /// Bytes: `tee` may have some of them still when the job goes on.
    private static func firstHalf(of job: String) -> Int64 {
        Int64((1...400).reduce(0) { $0 + "line \($1) ü of \(job)\n".utf8.count })
    }

    /// Kills the run's supervisor and waits until it is gone.
    func killSupervisor(of run: RunDirectory) async throws { try await fixture.killSupervisor(of: run) }

    /// Completes the run, which must be whole. A link that is still broken is waited for, as an operator would.
    func complete(_ run: RunDirectory, at location: SourceLocation = #_sourceLocation) async throws {
        var completed = try await fixture.ecr("run", "complete")
        try await fixture.wait(for: "the completion") {
            if completed.status == 69 { completed = try await fixture.ecr("run", "complete") }
            return completed.status != 69
        }
        #expect(
            completed.status == 0 && completed.errorText.contains("complete: 100"), "\(completed.errorText)",
            sourceLocation: location)
        try check(run)
        let verified = try await fixture.ecr("verify", run.path)
        #expect(verified.status == 0, "\(verified.outputText)", sourceLocation: location)
    }

    // MARK: The invariant

    /// Checks what must hold of a run after any fault.
    func check(_ run: RunDirectory) throws {
        try Invariant(run: run, witness: witness, acknowledged: acknowledged.withLock { $0 }).check()
    }
}
