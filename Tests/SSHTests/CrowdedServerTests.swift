import TestSupport
import Testing

@testable import SSH

/// dropbear (2022.83) closes a channel whose program was not asked for yet when another one's program ends: nobody waits
/// for its answer, and another channel is asked.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CrowdedServerTests {
    private func run(_ count: Int, on session: SSHSession) async throws {
        for _ in 0..<count { #expect(try await session.run("echo x").outputText == "x\n") }
    }

    @Test(.enabled(if: DropbearServer.isAvailable)) func everyCommandRunsOnce() async throws {
        let server = try await DropbearServer.start()
        for _ in 0..<5 {
            let session = try await SSHSession.connect(server.options)
            async let first: Void = run(60, on: session)
            async let second: Void = run(60, on: session)
            async let third: Void = run(60, on: session)
            _ = try await (first, second, third)
            await session.close()
        }
    }
}
