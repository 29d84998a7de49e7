import Testing

@testable import ECRCore

@Suite(.timeLimit(.minutes(1))) struct JobTransferTests {
    /// Often: what is begun may be on its way before its beginner has taken another step.
    @Test func whatIsOnItsWayCanBeCancelled() async throws {
        for _ in 0..<20_000 {
            let transfer = JobTransfer()
            let isFound = try await transfer.run(.pull) { (transfer.cancel(), Task.isCancelled) }
            #expect(isFound == (true, true))
            #expect(!transfer.cancel() && transfer.phase == .fetching)
        }
    }
}
