import Glibc
import LinuxSystem
import TestSupport
import Testing

/// The fixtures themselves: a test of ECR that fails must not mean that its server was never there.
@Suite struct FixtureTests {
    @Test func aCommandReportsItsStatusAndBothStreams() async throws {
        let result = try await Command.run("/bin/sh", ["-c", "cat; echo no >&2; exit 7"], input: Array("yes".utf8))
        #expect(result.status == 7)
        #expect(result.outputText == "yes")
        #expect(result.errorText == "no\n")
    }

    @Test func aSignalIsReportedAsAShellWould() async throws {
        #expect(try await Command.run("/bin/sh", ["-c", "kill -9 $$"]).status == 137)
    }

    @Test func inputOfAMegabyteComesBackWhole() async throws {
        let input = testBytes(1_000_000)
        let result = try await Command.run("/bin/cat", input: input)
        #expect(result.output == input)
    }

    @Test func theEnvironmentAndDirectoryAreTheGivenOnes() async throws {
        let scratch = try ScratchDirectory()
        let result = try await Command.run(
            "/bin/sh", ["-c", "pwd; echo ${ECR_A-unset} ${HOME-unset}"], environment: ["ECR_A": "b", "HOME": nil],
            workingDirectory: scratch.path)
        #expect(result.outputText == "\(scratch.path)\nb unset\n")
    }

    @Test func aHungCommandFailsInsteadOfHanging() async throws {
        await #expect(throws: CommandFailure.self) {
            try await Command.run("/bin/sh", ["-c", "echo started; sleep 30"], timeout: .milliseconds(300))
        }
    }

    @Test func anOutputHeldByAChildThatLivesOnFails() async throws {
        await #expect(throws: CommandFailure.self) {
            try await Command.run("/bin/sh", ["-c", "sleep 5 & exit 0"], timeout: .milliseconds(300))
        }
    }

    @Test func aMissingProgramIsAnError() async throws {
        await #expect(throws: SystemError.self) { try await Command.run("/nonexistent/program") }
    }

    @Test func aRunningCommandIsReadSignalledAndAwaited() async throws {
        let script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done"
        let command = try RunningCommand("/bin/sh", ["-c", script])
        try await command.waitForOutput("ready")
        #expect(command.isRunning)
        command.signal(SIGTERM)
        // dash may lose its `sleep` to the same signal; the trap decides the status.
        #expect(try await command.wait().status == 3)
        #expect(command.outputText.hasSuffix("bye\n"))
    }

    @Test func waitingForWordsThatNeverComeFails() async throws {
        let command = try RunningCommand("/bin/echo", ["one"])
        await #expect(throws: CommandFailure.self) { try await command.waitForOutput("two") }
    }

    @Test func aConversationGoesLineByLine() async throws {
        let command = try RunningCommand("/bin/cat", hasInput: true)
        command.write(Array("first\n".utf8))
        try await command.waitForOutput("first")
        command.write(Array("second\n".utf8))
        try await command.waitForOutput("second")
        command.closeInput()
        #expect(try await command.wait().status == 0)
    }

    @Test func aScratchDirectoryGoesWithItsOwner() throws {
        var scratch: ScratchDirectory? = try ScratchDirectory()
        let path = try #require(scratch?.path)
        try scratch?.write("a/b", "c")
        #expect(try scratch?.read("a/b") == "c")
        scratch = nil
        #expect(FileSystem.exists(path) == (Host.environment("ECR_KEEP_SCRATCH") != nil))
    }

    @Test func theBuiltBinaryIsFound() throws {
        #expect(FileSystem.exists(try BuiltProducts.ecr()))
    }
}

/// Real servers; each test has its own.
@Suite struct ServerFixtureTests {
    private func ssh(_ arguments: [String], _ command: String) async throws -> CommandResult {
        try await Command.run("/usr/bin/ssh", arguments + [command])
    }

    @Test func openSSHLetsItsClientIn() async throws {
        let server = try await SSHServer.start()
        let result = try await ssh(server.clientArguments, "echo hi")
        #expect(result.outputText == "hi\n", "\(result.errorText)\n\(server.log)")
        #expect(server.hostKeyFingerprint.hasPrefix("SHA256:"))
        try await server.stop()
        #expect(try await ssh(server.clientArguments, "echo hi").status == 255)
    }

    @Test func openSSHServesFilesUnlessToldNotTo() async throws {
        for servesSFTP in [true, false] {
            let server = try await SSHServer.start(.init(servesSFTP: servesSFTP))
            // Without the subsystem the client is told so and fails; `-s` asks for a subsystem by name.
            let result = try await Command.run(
                "/usr/bin/ssh", ["-s"] + server.clientArguments + ["sftp"], timeout: .seconds(20))
            #expect((result.status == 0) == servesSFTP)
            try await server.stop()
        }
    }

    @Test func aCutConnectionEndsItsClientButNotTheServer() async throws {
        let server = try await SSHServer.start()
        let client = try RunningCommand("/usr/bin/ssh", server.clientArguments + ["echo up; sleep 30"])
        try await client.waitForOutput("up")
        server.killConnections()
        #expect(try await client.wait().status == 255)
        #expect(try await ssh(server.clientArguments, "echo again").outputText == "again\n")
    }

    @Test func aRestartKeepsThePortAndTheKey() async throws {
        let server = try await SSHServer.start(.init(maxSessions: 1))
        try await server.restart()
        #expect(try await ssh(server.clientArguments, "echo hi").outputText == "hi\n")
    }

    /// A user that is made replaces this machine's passwd, and the small device has another.
    @Test(.enabled(if: DropbearServer.isSmallAvailable && TestUser.isAvailable))
    func aSmallDeviceKeepsItsShellWhenAUserIsMade() async throws {
        let server = try await DropbearServer.startSmall(without: [])
        try await TestUser.with { _ in
            let result = try await ssh(server.clientArguments, "echo $0")
            #expect(result.outputText == "sh\n", "\(result.errorText)\n\(server.log)")
        }
    }

    @Test(.enabled(if: DropbearServer.isAvailable)) func dropbearLetsItsClientIn() async throws {
        let server = try await DropbearServer.start()
        let result = try await ssh(server.clientArguments, "echo hi")
        #expect(result.outputText == "hi\n", "\(result.errorText)\n\(server.log)")
        let client = try RunningCommand("/usr/bin/ssh", server.clientArguments + ["echo up; sleep 30"])
        try await client.waitForOutput("up")
        server.killConnections()
        #expect(try await client.wait().status == 255)
        try await server.restart()
        #expect(try await ssh(server.clientArguments, "echo again").outputText == "again\n")
        try await server.stop()
    }
}
