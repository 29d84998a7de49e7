import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Targets whose link stands while something on them hangs: the run goes on without it where it can, and nobody is held
/// up for ever.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HangingTargetTests {
    private static let profile = """
        actions:
          make:
            commands: ["i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; echo made >$ECR_OUT/made"]
        """

    /// Runs a body with a server whose SFTP hangs before its greeting.
    private func withHangingSFTP(
        from connection: Int, _ body: (RunFixture, HangingProgram) async throws -> Void
    ) async throws {
        let hanging = try HangingProgram(sftpFrom: connection)
        try await RunFixture.with(
            .init(servesSFTP: false, extraLines: [hanging.serverLine]), profile: Self.profile
        ) { fixture in
            try fixture.scratch.write(
                "big", bytes: testBytes(4_000_000))
            try await body(fixture, hanging)
        }
    }

    private func methods(_ run: RunDirectory, _ type: EventType) throws -> [String?] {
        try run.events(type).map { $0.data["method"]?.string }
    }

    // MARK: The first connection

    @Test func aRunBeginsWithoutAnSFTPServerThatHangsAndACheckSaysSo() async throws {
        try await withHangingSFTP(from: 1) { fixture, _ in
            // Both wait for it, side by side.
            let check = try fixture.background("target", "check", "profile.yaml")
            let start = try await fixture.expect(0, "run", "start", "profile.yaml")
            let run = fixture.run(start)
            #expect(start.errorText.contains("warning: the target's SFTP server hangs"))
            #expect(start.errorText.contains("ecr target check '\(fixture.scratch.path)/profile.yaml'"))
            #expect(try run.events(.targetFacts).first { $0.data["at"] == "connect" }?.data["sftp"] == false)
            try await fixture.expect(0, "run", "action", "make")
            #expect(try run.text("0001-make") == "0\n1\n2\n")
            try await fixture.expect(0, "run", "pull", "\(fixture.scratch.path)/big")
            #expect(try methods(run, .artifactPulled).allSatisfy { $0 == "exec" || $0 == "tar" })
            let refused = try await fixture.expect(1, "run", "pull", "--method", "sftp", "\(fixture.scratch.path)/big")
            #expect(refused.errorText.contains("the target's SFTP server hangs; it has "))
            try await fixture.expect(0, "run", "complete")
            let checked = try await check.wait()
            #expect(checked.status == 0 && checked.outputText.contains("the SFTP server hangs"))
        }
    }

    @Test func aLoginWhoseShellHangsEndsTheStart() async throws {
        try await RunFixture.with(.init(extraLines: ["ForceCommand sleep 60"])) { fixture in
            try fixture.write(Self.profile, connection: ["timeout": "3"])
            let error = try await fixture.expect(69, "run", "start", "profile.yaml").errorText
            #expect(error.contains("gave no answer within 3 s"))
            #expect(error.contains("ssh "))
            #expect(try fixture.runs().isEmpty)
        }
    }

    // MARK: Later connections

    @Test func aLinkThatStandsAgainGoesOnWithoutIt() async throws {
        try await withHangingSFTP(from: 2) { fixture, hanging in
            let run = try await fixture.start()
            fixture.server.killConnections()
            try await hanging.waitUntilBegun()
            try await fixture.expect(0, "run", "action", "make")
            #expect(try run.text("0001-make") == "0\n1\n2\n")
            let facts = try run.events(.targetFacts).filter { $0.data["at"] == "connect" }
            #expect(facts.map { $0.data["sftp"] } == [true, false])
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func muchIsFetchedAndSentWithoutIt() async throws {
        try await withHangingSFTP(from: 2) { fixture, _ in
            let run = try await fixture.start()
            let pull = try await fixture.expect(0, "run", "pull", "\(fixture.scratch.path)/big")
            #expect(pull.errorText.contains("the target's SFTP server hangs"))
            try await fixture.expect(0, "run", "push", "big", "\(fixture.scratch.path)/there")
            #expect(try methods(run, .artifactPulled) == ["exec"])
            #expect(try methods(run, .uploaded) == ["exec"])
            // The first connection's is well.
            try await fixture.expect(0, "run", "push", "--method", "sftp", "big", "\(fixture.scratch.path)/other")
            #expect(try methods(run, .uploaded) == ["exec", "sftp"])
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test(arguments: [["complete", "--cancel-running"], ["abort"]])
    func whatWaitsForItDoesNotKeepTheRunFromEnding(_ end: [String]) async throws {
        try await withHangingSFTP(from: 2) { fixture, hanging in
            let run = try await fixture.start()
            let pull = try fixture.background("run", "pull", "\(fixture.scratch.path)/big")
            try await hanging.waitUntilBegun()
            let ended = try await fixture.ecr(["run"] + end)
            #expect(ended.status == 0, "\(ended.errorText)")
            _ = try await pull.wait()
            #expect(try run.events(.artifactPulled).isEmpty)
        }
    }

    @Test func aPullThatWaitsForItCanBeStopped() async throws {
        try await withHangingSFTP(from: 2) { fixture, hanging in
            _ = try await fixture.start()
            let pull = try fixture.background("run", "pull", "\(fixture.scratch.path)/big")
            try await hanging.waitUntilBegun()
            pull.signal(SIGINT)
            #expect(try await pull.wait().status == 130)
            try await fixture.wait(for: "the transfer's end") {
                try await fixture.ecr("run", "status", "--json").json()["transfers"]?.array?.isEmpty == true
            }
            try await fixture.expect(0, "run", "complete")
        }
    }
}
