import LinuxSystem
import Profiles

/// The next action waits until a rule has come to its end.
struct RuleHold: Sendable {
    let rule: Rule
    /// See `Clock.boottimeNanoseconds`.
    let began: Int64
    /// Since when this supervisor has known of it.
    let seen = Clock.boottimeNanoseconds()
    /// The field that decides over its end and of which nothing comes any more, and since when.
    var silent: (field: RuleCondition.Field, since: Int64)?

    /// - Parameter nanoseconds: for which it has held already, under an earlier supervisor.
    init(_ rule: Rule, heldFor nanoseconds: Int64 = 0) {
        self.rule = rule
        began = Clock.boottimeNanoseconds() - nanoseconds
    }

    var seconds: Double { Self.seconds(since: began) }

    var isTooLong: Bool { rule.maxHold.map { seconds >= $0 } ?? false }

    /// The fields that decide over its end.
    var fields: [RuleCondition.Field] { (rule.until ?? rule.when).fields }

    /// `holding: temperature.cpu 84 > 70, 03:12`.
    func text(_ values: [RuleCondition.Field: Double]) -> String {
        let what = rule.until.map { $0.shown(values, isNegated: true) } ?? rule.when.shown(values, isNegated: false)
        let silence = silent.map { "; no value of \($0.field.text) for \(Self.minutes(Self.seconds(since: $0.since)))" }
        return "holding: \(what), \(Self.minutes(seconds))\(silence ?? "")"
    }

    private static func seconds(since time: Int64) -> Double { Double(Clock.boottimeNanoseconds() - time) / 1e9 }

    private static func minutes(_ seconds: Double) -> String {
        let whole = Int(seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(whole / 60)):\(two(whole % 60))"
    }
}
