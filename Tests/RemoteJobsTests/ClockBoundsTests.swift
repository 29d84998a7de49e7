import Testing

@testable import RemoteJobs

@Suite struct ClockBoundsTests {
    @Test func theTruthIsWithinTheRoundTrip() {
        // Ahead by 1000; read 3 after the question, 7 before the answer.
        let bounds = ClockBounds(reading: 1103, step: 1, sent: 100, received: 110)
        #expect(bounds.low == 993 && bounds.high == 1004)
        #expect((bounds.middle - 1000).magnitude <= bounds.uncertainty.magnitude)
    }

    @Test func aQuickExchangeCutsASlowOne() {
        var bounds = ClockBounds(reading: 1_000_000, step: 1, sent: 0, received: 1000)
        let narrowed = bounds.narrow(by: ClockBounds(reading: 1_001_995, step: 1, sent: 2000, received: 2010))
        #expect(narrowed)
        #expect(bounds.uncertainty <= 6)
    }

    @Test func aStepOfTheClockBeginsAnew() {
        var bounds = ClockBounds(reading: 5_000_000, step: 1, sent: 0, received: 10)
        let later = ClockBounds(reading: 9_000_100, step: 1, sent: 95, received: 105)
        let narrowed = bounds.narrow(by: later)
        #expect(!narrowed)
        #expect(bounds == later)
    }

    @Test(arguments: [Int64(0), 1, 499_999_999, 500_000_000, 999_999_999, 731_000_123])
    func wholeSecondsAreHalvedDownToTheRoundTrip(fraction: Int64) {
        let second: Int64 = 1_000_000_000
        let ahead = 1_800_000_000 * second + fraction
        let trip: Int64 = 2_000_000
        var (now, bounds) = (Int64(77_123_456_789), ClockBounds?.none)
        for _ in 0..<12 {
            if let bounds { now = bounds.nextQuestion(step: second, now: now, trip: trip) }
            let shown = (now + trip / 2 + ahead) / second * second
            let answer = ClockBounds(reading: shown, step: second, sent: now, received: now + trip)
            if bounds?.narrow(by: answer) == nil { bounds = answer }
            now += trip
            #expect(bounds.map { $0.low <= ahead && ahead <= $0.high } == true)
        }
        // Six seconds of drift come to the round trip.
        #expect(bounds.map { $0.high - $0.low < trip + 6_000_000 } == true)
    }

    @Test func repliesOfGNUAndOfBusyBox() throws {
        let gnu = try #require(ClockComparison.nanoseconds("1700000000.123456789"))
        #expect(gnu == (1_700_000_000_123_456_789, 1))
        for text in ["1700000000.%N", "1700000000.", "1700000000"] as [Substring] {
            let busybox = try #require(ClockComparison.nanoseconds(text))
            #expect(busybox == (1_700_000_000_000_000_000, 1_000_000_000))
        }
        let uptime = try #require(ClockComparison.nanoseconds("81.23"))
        #expect(uptime == (81_230_000_000, 10_000_000))
        #expect(ClockComparison.nanoseconds("99999999999999") == nil)
        #expect(ClockComparison.nanoseconds("-5.0") == nil)
        #expect(ClockComparison.nanoseconds("date: invalid") == nil)
    }

    @Test func aTargetWithoutDateHasNoOffset() throws {
        var comparison = ClockComparison()
        comparison.add("12.34\n", sent: 1_000_000_000, received: 1_002_000_000)
        let reading = try #require(comparison.reading(wallZero: 0))
        #expect(reading.offset == nil && reading.resolution == nil)
        #expect(reading.targetUptime == 12.34)
    }
}
