import Testing

@testable import ECRCore

/// The rate is that of the present: neither of long ago, nor of a time in which the link was gone.
@Suite struct TransferPaceTests {
    /// A transfer whose bytes come in steps.
    private final class Course {
        var pace = TransferPace(now: 0)
        var milliseconds: Int64 = 0
        var bytes: Int64 = 0

        /// - Returns: the rate behind the last step.
        func come(_ step: Int64, every pause: Int64, times: Int) -> Double? {
            var rate: Double?
            for _ in 0..<times {
                milliseconds += pause
                bytes += step
                rate = pace.rate(bytes, now: milliseconds * 1_000_000)
            }
            return rate
        }
    }

    @Test func theFirstSecondHasNoRate() {
        let course = Course()
        #expect(course.come(1000, every: 200, times: 4) == nil)
        #expect(course.come(1000, every: 200, times: 1) == 5000)
    }

    @Test func whatWasLongAgoDoesNotCount() {
        let course = Course()
        #expect(course.come(1_000_000, every: 200, times: 50) == 5e6)
        #expect(course.come(1000, every: 200, times: 30) == 5000)
    }

    @Test(arguments: [4000, 14_000, 3_600_000] as [Int64]) func anOutageDoesNotCount(_ pause: Int64) {
        let course = Course()
        #expect(course.come(1000, every: 200, times: 20) == 5000)
        #expect(course.come(1000, every: pause, times: 1) == nil)
        for _ in 0..<20 {
            let rate = course.come(1000, every: 200, times: 1)
            #expect(rate == nil || rate == 5000)
        }
        #expect(course.come(1000, every: pause, times: 1) == nil)
        #expect(course.come(1000, every: 200, times: 10) == 5000)
    }

    @Test func theRateFallsWhileNothingComes() {
        let course = Course()
        let before = course.come(1000, every: 200, times: 20)
        let within = course.come(0, every: 200, times: 30)
        #expect(before == 5000 && within == 0)
    }

    @Test func aVerySlowLinkHasARateToo() {
        let course = Course()
        #expect(course.come(5000, every: 5000, times: 3) == 1000)
        #expect(course.come(5000, every: 5000, times: 10) == 1000)
    }
}
