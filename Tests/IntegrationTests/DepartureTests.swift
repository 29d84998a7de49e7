import EventLog
import JSON
import LinuxSystem
import RunStore
import TestSupport
import Testing

/// Commands that end before they have their answer.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DepartureTests {
    /// Asks for something, and is gone.
    private func askAndLeave(_ run: RunDirectory, _ request: JSON) throws {
        let socket = try UnixSocket.connect(to: run.socket)
        let hello = JSON.object(["protocol": 1, "ecr": "of a test"])
        try socket.write(hello.bytes + [0x0A] + request.bytes + [0x0A])
    }

    @Test func aPushWhoseCommandIsGoneAtOnceSendsNothing() async throws {
        try await RunFixture.with { fixture in
            for number in 0..<3000 { try fixture.scratch.write("here/\(number)", "x") }
            try FileSystem.makeDirectory(fixture.scratch.path("there"))
            let run = try await fixture.start()
            try askAndLeave(
                run,
                [
                    "request": "push", "locals": .array([.string(fixture.scratch.path("here"))]),
                    "remote": .string(fixture.scratch.path("there/")),
                ])
            // It may be seen on its way, or be over already.
            try await Task.sleep(for: .seconds(1))
            try await fixture.wait(for: "its end") {
                let status = try JSON(parsing: Array(try await fixture.expect(0, "status", "--json").outputText.utf8))
                return status["transfers"]?.array?.isEmpty ?? true
            }
            #expect(try run.events(.uploaded).count < 3000)
        }
    }

    @Test func anActionWhoseCommandIsGoneBeforeItsTurnIsWithdrawn() async throws {
        try await RunFixture.with { fixture in
            let go = fixture.scratch.path("go")
            try fixture.write(
                """
                actions:
                  long: {commands: ["echo up; while [ ! -e '\(go)' ]; do sleep 0.05; done"]}
                  ok: {commands: ["true"]}
                """)
            let run = try await fixture.start()
            let long = try fixture.background("run", "action", "long")
            try await long.waitForOutput("up")
            for _ in 0..<50 { try askAndLeave(run, ["request": "action", "name": "ok"]) }
            try await Task.sleep(for: .seconds(1))
            try await fixture.wait(for: "their departure") {
                try await fixture.expect(0, "status", "--json").json()["waiting"]?.array?.isEmpty == true
            }
            try fixture.scratch.write("go", "")
            #expect(try await long.wait().status == 0)
            try await fixture.expect(0, "run", "action", "ok")
            #expect(try run.events(.actionStarted).compactMap { $0.data["action"]?.string } == ["long", "ok"])
        }
    }
}
