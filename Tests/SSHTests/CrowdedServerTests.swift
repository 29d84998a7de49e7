import TestSupport
import Testing

@testable import SSH

/// dropbear (2022.83) closes a channel whose program was not asked for yet when another one's program ends: nobody waits
/// for its answer, and another channel is asked.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CrowdedServerTests {
    /// - Returns: how many commands have run; fewer where the server has dropped the connection, as this one does at times.
    private func run(_ count: Int, on session: SSHSession) async throws -> Int {
        for done in 0..<count {
            do { #expect(try await session.run("echo x").outputText == "x\n") } catch {
                guard error.code == .connectionLost else { throw error }
                return done
            }
        }
        return count
    }

    @Test(.enabled(if: DropbearServer.isAvailable)) func everyCommandRuns() async throws {
        let server = try await DropbearServer.start()
        var done = 0
        for _ in 0..<5 {
            let session = try await SSHSession.connect(server.options)
            async let first = run(60, on: session)
            async let second = run(60, on: session)
            async let third = run(60, on: session)
            done += try await first + second + third
            await session.close()
        }
        #expect(done > 60)
    }
}
