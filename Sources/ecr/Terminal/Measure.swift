import Glibc
import RunStore

/// Measured numbers on the screen, where six digits are enough to compare them by; files have them all.
enum Measure {
    static let headings = ["MEAN", "MIN", "MAX", "MEDIAN", "P95", "P99"]

    static func cells(_ aggregates: Aggregates) -> [String] {
        [
            aggregates.mean, aggregates.min, aggregates.max, aggregates.median, aggregates.p95, aggregates.p99,
        ].map(text)
    }

    /// `12`, `20641907`, `4490.91`, `0.0123457`, `1.2e+25`.
    static func text(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        let digits = max(0, 5 - Int(floor(log10(abs(value)))))
        // Powers of ten beyond this are no exact doubles.
        guard digits <= 22 else { return "\(value)" }
        let scale = pow(10, Double(digits))
        let text = "\((value * scale).rounded() / scale)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
