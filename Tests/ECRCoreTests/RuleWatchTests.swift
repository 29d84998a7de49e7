import Profiles
import Testing

@testable import ECRCore

@Suite struct RuleWatchTests {
    private static let cpu = RuleCondition.Field(.collector("heat"), "cpu")
    private static let second: Int64 = 1_000_000

    private func watch(patience: Double = 0, until: Double? = nil) -> RuleWatch {
        func condition(_ operation: RuleCondition.Operator, _ number: Double) -> RuleCondition {
            RuleCondition(text: "", expression: .comparison(Self.cpu, operation, number))
        }
        return RuleWatch(
            Rule(
                name: "r", when: condition(.more, 85), patience: patience, deed: .mark,
                until: until.map { condition(.less, $0) }, maxHold: nil, note: nil))
    }

    /// Judges a sample a second.
    private func changes(_ watch: RuleWatch, _ samples: [Double]) -> [RuleWatch.Change?] {
        var watch = watch
        return samples.enumerated().map { watch.take([Self.cpu: $1], at: Int64($0) * Self.second) }
    }

    @Test func itBeginsAtOnceAndEndsWithItsCondition() {
        #expect(
            changes(watch(), [80, 86, 90, 85, 86]) == [
                nil, .began(since: Self.second), nil, .ended(since: Self.second, at: 3 * Self.second),
                .began(since: 4 * Self.second),
            ])
    }

    @Test func itWaitsForItsPatienceAndBeginsWithTheFirstSample() {
        #expect(
            changes(watch(patience: 2), [86, 86, 80, 86, 86, 86, 86]) == [
                nil, nil, nil, nil, nil, .began(since: 3 * Self.second), nil,
            ])
    }

    @Test func hysteresisKeepsItUntilItsEnd() {
        #expect(
            changes(watch(until: 70), [86, 84, 71, 70, 69, 84]) == [
                .began(since: 0), nil, nil, nil, .ended(since: 0, at: 4 * Self.second), nil,
            ])
    }

    @Test func whatIsUnknownChangesNothing() {
        var watch = watch(until: 70)
        #expect(watch.take([:], at: 0) == nil)
        #expect(watch.take([Self.cpu: 90], at: 1) == .began(since: 1))
        #expect(watch.take([:], at: 2) == nil)
        #expect(watch.phase == .active(since: 1))
    }

    @Test func aRuleThatWasActiveGoesOn() {
        var watch = RuleWatch(watch(until: 70).rule, activeSince: 5)
        #expect(watch.take([Self.cpu: 90], at: 8) == nil)
        #expect(watch.take([Self.cpu: 60], at: 9) == .ended(since: 5, at: 9))
    }

    @Test func whatNobodyTellsAnyMoreEnds() {
        var watch = watch(patience: 1)
        #expect(watch.take([Self.cpu: 90], at: 0) == nil)
        #expect(watch.reset(at: 5) == nil)
        #expect(watch.take([Self.cpu: 90], at: Self.second) == nil)
        #expect(watch.take([Self.cpu: 90], at: 2 * Self.second) == .began(since: Self.second))
        #expect(watch.reset(at: 0) == .ended(since: Self.second, at: Self.second))
        #expect(watch.phase == .idle)
    }

    @Test func samplesOutOfOrderMakeNoTimeThatRunsBackwards() {
        var watch = watch()
        #expect(watch.take([Self.cpu: 90], at: 10) == .began(since: 10))
        #expect(watch.take([Self.cpu: 80], at: 9) == .ended(since: 10, at: 10))
    }
}
