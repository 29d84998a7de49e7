import Testing

@testable import SSH

/// When a silent server is asked, and when it is given up. Times in nanoseconds, the interval is one second.
@Suite struct LivenessTests {
    private let second: Int64 = 1_000_000_000

    @Test func silenceIsAskedTwiceAndThenDeath() {
        var liveness = Liveness(interval: 1, now: 0)
        #expect(liveness.check(now: second - 1, receivedBytes: 0) == .fine)
        #expect(liveness.check(now: second, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: second + 5, receivedBytes: 0) == .fine)
        #expect(liveness.check(now: 2 * second, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: 3 * second, receivedBytes: 0) == .dead(seconds: 3))
    }

    @Test func everyByteIsLife() {
        var liveness = Liveness(interval: 1, now: 0)
        for tick in 1...10 {
            #expect(liveness.check(now: Int64(tick) * second, receivedBytes: UInt64(tick)) == .fine)
        }
        #expect(liveness.check(now: 11 * second, receivedBytes: 10) == .ask)
        #expect(liveness.check(now: 12 * second, receivedBytes: 11) == .fine)
        #expect(liveness.check(now: 13 * second, receivedBytes: 11) == .ask)
    }

    /// A laptop that slept for an hour asks first, and waits as long as ever.
    @Test func whoSleptDoesNotJudge() {
        var liveness = Liveness(interval: 1, now: 0)
        #expect(liveness.check(now: second, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: 2 * second, receivedBytes: 0) == .ask)
        let morning = 3600 * second
        #expect(liveness.check(now: morning, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: morning + second, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: morning + 2 * second, receivedBytes: 0) == .ask)
        #expect(liveness.check(now: morning + 3 * second, receivedBytes: 0) == .dead(seconds: 3))
    }
}
