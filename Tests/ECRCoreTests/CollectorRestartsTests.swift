import Testing

@testable import ECRCore

/// How long a collector that dies waits for its next start.
@Suite struct CollectorRestartsTests {
    @Test func whatDiesAgainAndAgainWaitsLongerAndIsGivenUp() {
        var restarts = CollectorRestarts()
        let pauses = (0..<8).map { _ in restarts.pause(afterLife: 2) }
        #expect(pauses == [1, 5, 30, 120, 300, nil, nil, nil])
        #expect(restarts.count == 5)
    }

    @Test func aLongLifeBeginsAnew() {
        var restarts = CollectorRestarts()
        for _ in 0..<5 { _ = restarts.pause(afterLife: 2) }
        #expect(restarts.pause(afterLife: 3600) == 1)
        #expect(restarts.pause(afterLife: 2) == 5)
    }
}
