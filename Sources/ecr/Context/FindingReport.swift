import ECRCore
import JSON
import LinuxSystem

/// The findings of a check: shown one by one as they come, or printed together as JSON.
final class FindingReport: Sendable {
    private let findings = Locked<[Finding]>([])
    private let isShown: Bool

    init(isShown: Bool) { self.isShown = isShown }

    func add(_ finding: Finding) {
        findings.withLock { $0.append(finding) }
        if isShown { Terminal.result(Self.text(finding)) }
    }

    /// Whether no check has failed.
    var isSound: Bool { count(.failed) == 0 }

    /// - Parameter head: what the checks were about.
    func print(_ head: JSONObject) {
        var json = head
        json["checks"] = .array(findings.withLock { $0.map(\.json) })
        json["failed"] = .int(count(.failed))
        json["warnings"] = .int(count(.warning))
        Terminal.result(.object(json))
    }

    /// The last line, to stderr.
    /// - Parameter next: what to type when all is well.
    func summarize(next: String?) {
        let parts = [(count(.failed), "failed"), (count(.warning), "warnings")].filter { $0.0 > 0 }
        let outcome = parts.map { "\($0) \($0 == 1 && $1 == "warnings" ? "warning" : $1)" }.joined(separator: ", ")
        Terminal.say(outcome.isEmpty ? "all checks passed" : outcome)
        if isSound, let next { Terminal.say("next: \(next)") }
    }

    private func count(_ state: Finding.State) -> Int64 {
        Int64(findings.withLock { $0.count { $0.state == state } })
    }

    /// Origin: the longest states and names of checks, with two blanks behind them.
    private static let columns = (state: 9, check: 18)

    private static func text(_ finding: Finding) -> String {
        let state = finding.state.rawValue
        let head =
            Terminal.styled(state, style(finding.state)) + blanks(columns.state - state.count)
            + finding.check + blanks(max(1, columns.check - finding.check.count)) + SafeText.line(finding.message)
        guard let hint = finding.hint else { return head }
        let margin = "\n" + blanks(columns.state + columns.check)
        return head + margin + Terminal.styled("try:", .dim) + " "
            + hint.split(separator: "\n").map { SafeText.line(String($0)) }.joined(separator: margin)
    }

    private static func style(_ state: Finding.State) -> Terminal.Style {
        switch state {
        case .ok: .green
        case .warning: .yellow
        case .failed: .red
        }
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }
}
