import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// A run whose target is an alias of ssh_config, behind a jump host.
@Suite(.serialized, .timeLimit(.minutes(2))) struct JumpedRunTests {
    /// An ssh_config that reaches the fixture's server through another one.
    private func config(_ fixture: RunFixture, through jump: SSHServer) throws -> String {
        try fixture.scratch.write(
            "ssh_config",
            """
            Host board
              HostName 127.0.0.1
              ProxyJump gate
            \(jump.configHost("gate"))
            """)
    }

    @Test func aRunGoesThroughAJumpHostAndComesBackAfterItsLoss() async throws {
        let jump = try await SSHServer.start()
        try await RunFixture.with { fixture in
            _ = try config(fixture, through: jump)
            let go = fixture.scratch.path("go")
            try fixture.write(
                "actions: {slow: {commands: [\"echo begun; while [ ! -e '\(go)' ]; do sleep 0.05; done; echo ended\"]}}",
                connection: ["host": "board", "ssh_config": "ssh_config", "keepalive": "1"])
            let run = try await fixture.start()
            let established = try #require(try run.events(.connectionEstablished).first)
            #expect(established.data["host"]?.string == "127.0.0.1")
            #expect(established.data["jumps"]?.array?.map(\.string) == ["\(jump.user)@127.0.0.1:\(jump.port)"])
            for key in ["kex", "cipher", "mac"] { #expect(established.data[key]?.string?.isEmpty == false) }

            let action = try fixture.background("run", "action", "slow")
            try await action.waitForOutput("begun")
            jump.killConnections()
            try await fixture.wait(for: "the loss") { try !run.events(.connectionLost).isEmpty }
            try fixture.scratch.write("go", "")
            let result = try await action.wait()
            #expect(result.status == 0 && result.outputText == "begun\nended\n")
            let lost = try #require(try run.events(.connectionLost).first)
            #expect(lost.data["reason"]?.string?.contains("jump host 127.0.0.1:\(jump.port)") == true)
            #expect(try run.events(.connectionEstablished).count == 2)
            try await fixture.expect(0, "run", "complete")
        }
    }

    @Test func aWrongConfigurationIsToldBeforeAnythingStarts() async throws {
        try await RunFixture.with { fixture in
            try fixture.scratch.write("ssh_config", "Host *\n  ProxyCommand nc %h %p\n")
            try fixture.write("actions: {a: {commands: [\"true\"]}}", connection: ["ssh_config": "ssh_config"])
            let error = try await fixture.expect(78, "run", "start", "profile.yaml").errorText
            #expect(error.contains("ssh_config:2: ProxyCommand nc %h %p: ecr runs no ProxyCommand"))
            #expect(try fixture.runs().isEmpty)
        }
    }
}
