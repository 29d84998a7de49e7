/// The spelling of a span of time: digits and a unit, `500ms`, `60s`, `5m`, `2h`.
package enum DurationSpelling {
    /// The seconds that the text stands for; nil for anything else. A number without a unit is not taken here.
    package static func seconds(_ text: String) -> Double? {
        // Milliseconds first, because "ms" ends with "s".
        let units: [(suffix: String, perSecond: Double, seconds: Double)] = [
            ("ms", 1000, 1), ("s", 1, 1), ("m", 1, 60), ("h", 1, 3600),
        ]
        for unit in units where text.hasSuffix(unit.suffix) {
            let digits = String(text.dropLast(unit.suffix.count))
            guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+"),
                DecimalForm(digits) != nil, let value = Double(digits), value.isFinite
            else { return nil }
            return value * unit.seconds / unit.perSecond
        }
        return nil
    }
}
