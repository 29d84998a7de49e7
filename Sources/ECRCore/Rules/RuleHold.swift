import LinuxSystem
import Profiles

/// The next action waits until a rule has come to its end.
struct RuleHold: Sendable {
    let rule: Rule
    /// See `Clock.boottimeNanoseconds`.
    let began = Clock.boottimeNanoseconds()

    var seconds: Double { Double(Clock.boottimeNanoseconds() - began) / 1e9 }

    var isTooLong: Bool { rule.maxHold.map { seconds >= $0 } ?? false }

    /// `holding: temperature.cpu 84 > 70, 03:12`.
    func text(_ values: [RuleCondition.Field: Double]) -> String {
        let what = rule.until.map { $0.shown(values, isNegated: true) } ?? rule.when.shown(values, isNegated: false)
        let whole = Int(seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "holding: \(what), \(two(whole / 60)):\(two(whole % 60))"
    }
}
