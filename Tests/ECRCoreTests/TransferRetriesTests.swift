import SSH
import TestSupport
import Testing

@testable import ECRCore
@testable import RemoteJobs

/// How often what has failed is tried again.
@Suite(.serialized, .timeLimit(.minutes(1))) struct TransferRetriesTests {
    private let error = SSHError(.protocolViolation, "nonsense")
    private let loss = SSHError(.connectionLost, "lost")

    private func withTarget(_ body: (Target) async throws -> Void) async throws {
        let server = try await SSHServer.start()
        let target = try await Target.connect(
            SSHOptions(
                host: server.host, port: server.port, user: server.user, keyFile: server.clientKey,
                knownHostsFile: server.knownHosts))
        try await body(target)
        await target.close()
        try await server.stop()
    }

    @Test func whatFailsAgainAndAgainWhileTheLinkStandsIsGivenUp() async throws {
        try await withTarget { target in
            var retries = TransferRetries()
            func goesOn(progress: Bool = false, bytes: Int64 = 0) async -> Bool {
                await retries.mayGoOn(after: error, on: target, hasProgress: progress, bytes: bytes)
            }
            for expected in [true, true, false] { #expect(await goesOn() == expected) }
            // More of a file than ever before, or a whole one, and it is as if nothing had been.
            #expect(await goesOn(bytes: 10))
            #expect(await goesOn(bytes: 10))
            #expect(await goesOn(bytes: 9) == false)
            #expect(await goesOn(progress: true))
            #expect(await goesOn(bytes: 1))
            #expect(await goesOn(bytes: 1))
            #expect(await goesOn(bytes: 1) == false)
            #expect(await target.session.isConnected)
        }
    }

    /// A link that breaks is waited for, however often; a session that looks well while it breaks is opened anew.
    @Test func breaksOfTheLinkAreNeverGivenUp() async throws {
        try await withTarget { target in
            var retries = TransferRetries()
            for number in 1...10 {
                #expect(await retries.mayGoOn(after: loss, on: target, hasProgress: false, bytes: 0))
                #expect(await target.session.isConnected == (number < 3))
            }
            // Whatever it looks like, without a session it is a break.
            for _ in 1...5 { #expect(await retries.mayGoOn(after: error, on: target, hasProgress: false, bytes: 0)) }
        }
    }
}
